//! Opens the folded parts of a conversation before it is printed, and closes them again afterwards.

let opened = [];

addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("main .conversation details:not([open])")];
  for (const element of opened) {
    element.open = true;
    // The toggle event makes an exchange build its content, but the browser would send it only after printing.
    element.dispatchEvent(new Event("toggle"));
  }
  // The content of an exchange exists only from now on.
  for (const element of document.querySelectorAll("main .conversation .exchange details:not([open])")) {
    element.open = true;
    opened.push(element);
  }
});

addEventListener("afterprint", () => {
  for (const element of opened) element.open = false;
  opened = [];
});
