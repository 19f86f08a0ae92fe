import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;

/** Makes calls with the JDK's HTTP client. Its proxy and its trusted certificates come only from JAVA_TOOL_OPTIONS. */
class Fax {
    public static void main(String[] arguments) throws Exception {
        var login = System.getenv("TWILIO_ACCOUNT_SID") + ":" + System.getenv("TWILIO_AUTH_TOKEN");
        var basic = "Basic " + Base64.getEncoder().encodeToString(login.getBytes());
        var client = HttpClient.newHttpClient();
        for (var host : new String[] {"fax.twilio.com", "fax.sydney.au1.twilio.com"}) {
            var url = URI.create("https://" + host + "/v1/Faxes");
            var request = HttpRequest.newBuilder(url).header("Authorization", basic).build();
            var answer = client.send(request, BodyHandlers.ofString());
            if (answer.statusCode() != 200 || !answer.body().contains("https://" + host + "/v1/Faxes?")) {
                throw new AssertionError(answer.statusCode() + " " + answer.body());
            }
        }
        System.out.println("2 hosts answered");
    }
}
