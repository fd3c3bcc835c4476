/* The session: warn before the idle limit, leave nothing on the screen after it, and nothing for the Back button. */
"use strict";

(() => {
  const limit = Number(document.body.dataset.idleSeconds || 0);
  const warn = Number(document.body.dataset.warnSeconds || 0);

  // A page restored from the browser's page cache may belong to a session that has ended.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });

  // htmx notes the page's path in the session store; nothing of a patient's page is to stay there.
  const forget = () => window.sessionStorage.clear();
  window.addEventListener("DOMContentLoaded", forget);
  window.addEventListener("pagehide", forget);

  if (!limit) return;

  const dialog = document.getElementById("idle-dialog");
  const left = dialog.querySelector("[data-idle-left]");
  let lastSeen = Date.now();
  let lastTold = Date.now();

  const stay = () => {
    const button = dialog.querySelector("[data-stay]");
    lastSeen = lastTold = Date.now();
    if (dialog.open) dialog.close();
    fetch(button.dataset.stayUrl, { redirect: "error" }).catch(() => window.location.reload());
  };

  // Reading is activity too: tell the server at most once a minute.
  const seen = () => {
    if (dialog.open) return;
    lastSeen = Date.now();
    if (lastSeen - lastTold > 60000) stay();
  };
  for (const name of ["pointerdown", "keydown", "wheel", "touchstart"]) {
    window.addEventListener(name, seen, { passive: true });
  }

  dialog.querySelector("[data-stay]").addEventListener("click", stay);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    stay();
  });

  window.setInterval(() => {
    const remaining = limit - (Date.now() - lastSeen) / 1000;
    if (remaining <= 0) {
      document.getElementById("main").replaceChildren();
      document.getElementById("logout-form").submit();
    } else if (remaining <= warn) {
      left.textContent = remaining > 90 ? "2 minutes" : remaining > 45 ? "1 minute" : "half a minute";
      if (!dialog.open) dialog.showModal();
    }
  }, 5000);
})();
