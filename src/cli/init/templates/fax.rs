//! Tests with faxes, each with an emulator of its own.

use fauxfax::{Emulator, Status};

#[tokio::test]
async fn a_fax_is_delivered() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().seed(7).start().await?;
    let account = emulator.account()?;
    account.number("+15017122661")?;
    // The emulator serves sample documents; any other URL that it can reach will do too.
    let document = format!("{}/_fauxfax/v1/samples/two-pages.pdf", emulator.url());

    let fax = account.send("+15558675310", &document).queue()?;
    account.wait_for(fax, Status::Delivered).await?;

    assert_eq!(account.fax(fax)?.pages(), Some(2));
    Ok(())
}
