// Says in words when a passkey did not work; allauth's own script only writes to the console.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const notice = document.querySelector("[data-passkey-problem]");
  if (notice) {
    notice.hidden = false;
  }
});
