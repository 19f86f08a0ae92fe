//! The recipes for Twilio's API.

use super::{Address, FAR_NUMBER, Place, Recipe};

/// Returns the recipes for Twilio's libraries, for plain HTTP in Rust and with curl, and for twilio-cli.
#[rustfmt::skip]
pub(super) fn recipes(place: &Place<'_>) -> Vec<Recipe> {
    vec![python(place), node(place), ruby(place), php(place), java(place), csharp(place), go(place), rust(place), curl(place), cli(place)]
}

fn python(Place { origin, account, number, document }: &Place<'_>) -> Recipe {
    let code = format!(
        r#"import os

from twilio.rest import Client

client = Client("{account}", os.environ["TWILIO_AUTH_TOKEN"])
client.fax.base_url = client.api.base_url = "{origin}"

fax = client.fax.faxes.create(
    from_="{number}", to="{FAR_NUMBER}",
    media_url="{document}",
)
print(fax.sid, fax.status)
"#
    );
    let remark = "twilio 7.5.1 (of 6.x: 6.63.2) is the last version that can send faxes.";
    Recipe { language: "python", name: "Python", code, remark }
}

fn node(Place { origin, account, number, document }: &Place<'_>) -> Recipe {
    let code = format!(
        r#"const client = require("twilio")("{account}", process.env.TWILIO_AUTH_TOKEN);
client.fax.baseUrl = client.api.baseUrl = "{origin}";

client.fax.faxes
  .create({{
    from: "{number}", to: "{FAR_NUMBER}",
    mediaUrl: "{document}",
  }})
  .then((fax) => console.log(fax.sid, fax.status));
"#
    );
    Recipe { language: "node", name: "Node", code, remark: "twilio 3.73.1 is the last version that can send faxes." }
}

fn ruby(place: &Place<'_>) -> Recipe {
    let Place { origin, account, number, document } = place;
    let Address { host, port } = place.address();
    let code = format!(
        r#"require "twilio-ruby"

class LocalFaxes < Twilio::HTTP::Client
  def request(host, port, method, url, *rest)
    super("http://{host}", {port}, method, url.sub(%r{{\Ahttps://[^/]+}}, "{origin}"), *rest)
  end
end

client = Twilio::REST::Client.new("{account}", ENV["TWILIO_AUTH_TOKEN"], nil, nil, LocalFaxes.new)
fax = client.fax.v1.faxes.create(from: "{number}", to: "{FAR_NUMBER}", media_url: "{document}")
"#
    );
    Recipe {
        language: "ruby",
        name: "Ruby",
        code,
        remark: "twilio-ruby 5.63.1 is the last version that can send faxes.",
    }
}

fn php(place: &Place<'_>) -> Recipe {
    let Place { account, number, document, .. } = place;
    let Address { host, port } = place.address();
    let code = format!(
        r#"$http = new Twilio\Http\CurlClient([
    CURLOPT_CONNECT_TO => ["::{host}:{port}"],   // every host, every port
    CURLOPT_CAINFO => trim(shell_exec("fauxfax ca path")),
]);
$client = new Twilio\Rest\Client("{account}", getenv("TWILIO_AUTH_TOKEN"), null, null, $http);
$fax = $client->fax->v1->faxes->create("{FAR_NUMBER}", "{document}", ["from" => "{number}"]);
"#
    );
    Recipe { language: "php", name: "PHP", code, remark: "twilio/sdk 6.33.1 is the last version that can send faxes." }
}

fn java(place: &Place<'_>) -> Recipe {
    let Place { account, number, document, .. } = place;
    let Address { host, port } = place.address();
    let code = format!(
        r#"String token = System.getenv("TWILIO_AUTH_TOKEN");
HttpHost local = new HttpHost("{host}", {port});
HttpClientBuilder http = HttpClientBuilder.create()
    .setRoutePlanner((target, request, context) -> new HttpRoute(local))
    .addInterceptorFirst((HttpRequestInterceptor) (request, context) -> request.setHeader("Host", local.toHostString()));
Twilio.init("{account}", token);
Twilio.setRestClient(new TwilioRestClient.Builder("{account}", token).httpClient(new NetworkHttpClient(http)).build());
Fax fax = Fax.creator("{FAR_NUMBER}", URI.create("{document}")).setFrom("{number}").create();
"#
    );
    let remark = "com.twilio.sdk:twilio 8.25.1 is the last version that can send faxes. HttpHost, HttpRoute and \
                  HttpClientBuilder are Apache's.";
    Recipe { language: "java", name: "Java", code, remark }
}

fn csharp(place: &Place<'_>) -> Recipe {
    let Place { account, number, document, .. } = place;
    let Address { host, port } = place.address();
    let code = format!(
        r#"class LocalFaxes : DelegatingHandler
{{
    public LocalFaxes() : base(new HttpClientHandler {{ AllowAutoRedirect = false }}) {{ }}

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {{
        request.RequestUri = new UriBuilder(request.RequestUri) {{ Scheme = "http", Host = "{host}", Port = {port} }}.Uri;
        return base.SendAsync(request, cancel);
    }}
}}

var token = Environment.GetEnvironmentVariable("TWILIO_AUTH_TOKEN");
var http = new SystemNetHttpClient(new System.Net.Http.HttpClient(new LocalFaxes()));
TwilioClient.Init("{account}", token);
TwilioClient.SetRestClient(new TwilioRestClient("{account}", token, httpClient: http));
FaxResource.Create(to: "{FAR_NUMBER}", mediaUrl: new Uri("{document}"), from: "{number}");
"#
    );
    Recipe { language: "csharp", name: "C#", code, remark: "Twilio 5.70.1 is the last version that can send faxes." }
}

fn go(place: &Place<'_>) -> Recipe {
    let Place { account, number, document, .. } = place;
    let Address { host, port } = place.address();
    let code = format!(
        r#"type local struct{{}}

func (local) RoundTrip(r *http.Request) (*http.Response, error) {{
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", "{host}:{port}", "{host}:{port}"
	return http.DefaultTransport.RoundTrip(r)
}}

credentials := client.NewCredentials("{account}", os.Getenv("TWILIO_AUTH_TOKEN"))
base := &client.Client{{Credentials: credentials, HTTPClient: &http.Client{{Transport: local{{}}}}}}
base.SetAccountSid("{account}")
service := twilio.NewRestClientWithParams(twilio.RestClientParams{{Client: base}})
params := &fax.CreateFaxParams{{}}
params.SetFrom("{number}").SetTo("{FAR_NUMBER}").SetMediaUrl("{document}")
sent, err := service.FaxV1.CreateFax(params)
"#
    );
    let remark =
        "twilio-go v0.20.1 is the last version that can send faxes; start the emulator with --price number for it.";
    Recipe { language: "go", name: "Go", code, remark }
}

fn rust(Place { origin, account, number, document }: &Place<'_>) -> Recipe {
    let code = format!(
        r#"let token = std::env::var("TWILIO_AUTH_TOKEN")?;
let fax = reqwest::blocking::Client::new()
    .post("{origin}/v1/Faxes")
    .basic_auth("{account}", Some(token))
    .form(&[("From", "{number}"), ("To", "{FAR_NUMBER}"), ("MediaUrl", "{document}")])
    .send()?;
"#
    );
    let remark = "Tests in Rust need no process: the emulator is a library, too.";
    Recipe { language: "rust", name: "Rust", code, remark }
}

fn curl(Place { origin, account, number, document }: &Place<'_>) -> Recipe {
    let code = format!(
        r#"curl {origin}/v1/Faxes -u "{account}:$TWILIO_AUTH_TOKEN" \
  --data-urlencode From={number} \
  --data-urlencode To={FAR_NUMBER} \
  --data-urlencode MediaUrl={document}
"#
    );
    Recipe { language: "curl", name: "curl", code, remark: "Any HTTP client works." }
}

fn cli(Place { number, document, .. }: &Place<'_>) -> Recipe {
    let code = format!(
        r"fauxfax exec -- twilio api:fax:v1:faxes:create --from {number} --to {FAR_NUMBER} \
  --media-url {document} --properties sid,status
"
    );
    let remark = "twilio-cli 2.36.1 is the last version that can send faxes. It has no option for the host, so exec starts an \
                  emulator of its own for it.";
    Recipe { language: "twilio-cli", name: "twilio-cli", code, remark }
}
