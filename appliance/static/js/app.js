/* Keyboard, the answer's stream, and the source panel. Keeps nothing in the browser but one switch. */
"use strict";

(() => {
  const KEYS_SWITCH = "single-key-shortcuts";
  const find = (selector, root = document) => root.querySelector(selector);
  const panel = () => document.getElementById("source-panel");
  let stream = null; // the one open answer of this page
  let opener = null; // the citation that opened the source

  // --- the answer's stream -------------------------------------------------------------------
  const closeStream = () => {
    if (stream) stream.close();
    stream = null;
  };
  if (window.htmx) {
    window.htmx.createEventSource = (url) => {
      closeStream();
      stream = new EventSource(url);
      return stream;
    };
  }
  const endWith = (answer, words) => {
    closeStream();
    if (!answer) return;
    const working = find("[data-working]", answer);
    if (!working) return;
    if (words) {
      working.classList.add("stopped");
      working.replaceChildren(Object.assign(document.createElement("p"), { className: "notice notice-warn", textContent: words }));
    } else {
      working.remove();
    }
  };
  const announce = (words) => {
    document.getElementById("announce").textContent = words;
  };

  document.addEventListener("htmx:sseOpen", (event) => {
    // A reconnected stream starts from the beginning: what came before is replaced, not repeated.
    event.target.querySelectorAll(".region").forEach((region) => region.replaceChildren());
  });
  document.addEventListener("htmx:sseMessage", (event) => {
    const answer = event.target.closest("[data-answer]");
    const words = answer && find("[data-working-words]", answer);
    const name = event.detail && event.detail.type;
    if (words && name === "sources") words.textContent = "Checking each sentence against its source";
    if (name === "completed") {
      const done = find("[data-announce]", event.target);
      if (done) announce(done.dataset.announce);
      endWith(answer, "");
    }
  });
  document.addEventListener("htmx:sseClose", (event) => {
    const answer = event.target.closest("[data-answer]");
    const finished = answer && find("[data-announce]", answer);
    endWith(answer, finished ? "" : "The answer ended early. What is shown was checked; it may be incomplete.");
  });
  document.addEventListener("htmx:sseError", (event) => {
    const source = event.detail && event.detail.source;
    if (!source || source.readyState !== EventSource.CLOSED) return; // the browser reconnects by itself
    const body = event.target.closest("[sse-connect]");
    const answer = event.target.closest("[data-answer]");
    endWith(answer, "The connection was refused. Reload the page; you may have to log in again.");
    if (body) body.replaceWith(...body.childNodes); // nothing left to reconnect
  });
  const stop = (button) => {
    const answer = button.closest("[data-answer]");
    endWith(answer, "Stopped. What is shown was checked; it may be incomplete.");
    announce("Stopped");
  };
  window.addEventListener("pagehide", closeStream);

  // --- asking ---------------------------------------------------------------------------------
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches("[data-ask]")) {
      closeStream();
      closeSource();
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.target.matches("[data-ask]") || !event.detail.successful) return;
    const box = find("textarea", event.target);
    if (box) box.value = "";
  });
  document.addEventListener("htmx:responseError", (event) => {
    announce("The request failed. Please reload the page.");
    const area = find("#answer-area");
    if (area && event.target.matches("[data-ask]")) {
      area.replaceChildren(Object.assign(document.createElement("p"), {
        className: "notice notice-error",
        textContent: `The question was not taken (${event.detail.xhr.status}). Reload the page and try again.`,
      }));
    }
  });

  // --- the source panel -----------------------------------------------------------------------
  const closeSource = () => {
    const shown = panel();
    if (!shown || !shown.firstChild) return false;
    shown.replaceChildren();
    document.querySelectorAll(".cite[aria-current]").forEach((cite) => cite.removeAttribute("aria-current"));
    if (opener && opener.isConnected) opener.focus();
    opener = null;
    return true;
  };
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "source-panel") {
      panel().scrollTop = 0;
      const mark = find(".source-words #cited", event.target); // a structured record starts with its marked line
      if (mark) mark.scrollIntoView({ block: "center" });
      panel().focus({ preventScroll: true });
    }
    if (event.target.id === "answer-area") {
      const answer = find("[data-answer]", event.target);
      if (answer) answer.scrollIntoView({ block: "nearest" });
    }
  });
  const steps = (by) => {
    const cites = [...document.querySelectorAll(".cite[data-cite]")];
    if (!cites.length) return;
    const here = cites.indexOf(document.activeElement.closest(".cite") || opener);
    const next = here < 0 ? (by > 0 ? 0 : cites.length - 1) : (here + by + cites.length) % cites.length;
    cites[next].focus();
    if (panel() && panel().firstChild) cites[next].click();
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-stop], [data-close-source], [data-cite], [data-suggest], [data-help]");
    if (!target) return;
    if (target.matches("[data-stop]")) stop(target);
    else if (target.matches("[data-close-source]")) closeSource();
    else if (target.matches("[data-help]")) document.getElementById("help-dialog").showModal();
    else if (target.matches("[data-cite]")) {
      document.querySelectorAll(".cite[aria-current]").forEach((cite) => cite.removeAttribute("aria-current"));
      if (target.matches(".cite")) target.setAttribute("aria-current", "true");
      opener = target;
    } else if (target.matches("[data-suggest]")) {
      const box = find("#question");
      box.value = target.textContent.trim();
      box.form.requestSubmit();
    }
  });

  // --- keys -----------------------------------------------------------------------------------
  const singleKeys = () => window.localStorage.getItem(KEYS_SWITCH) !== "off";
  const keysSwitch = find("[data-keys-switch]");
  if (keysSwitch) {
    keysSwitch.checked = singleKeys();
    keysSwitch.addEventListener("change", () => window.localStorage.setItem(KEYS_SWITCH, keysSwitch.checked ? "on" : "off"));
  }
  const single = {
    "/": () => { const box = find("[data-slash]"); if (box) { box.focus(); box.select(); } return Boolean(box); },
    "?": () => { const help = document.getElementById("help-dialog"); if (help && !help.open) help.showModal(); return Boolean(help); },
    "[": () => { steps(-1); return true; },
    "]": () => { steps(1); return true; },
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !find("dialog[open]") && closeSource()) { event.preventDefault(); return; }
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("#question")) {
      event.preventDefault();
      event.target.form.requestSubmit();
    } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && singleKeys() && single[event.key]) {
      if (single[event.key]()) event.preventDefault();
    }
  });

  // --- the sticky header's height, so that nothing focused hides beneath it --------------------
  const topbar = find(".topbar");
  const banner = find(".patient-banner");
  const measure = () => {
    const parts = [topbar, banner].filter((part) => part && getComputedStyle(part).position === "sticky");
    const height = parts.reduce((sum, part) => sum + part.offsetHeight, 0);
    document.documentElement.style.setProperty("--header-height", `${height}px`);
    if (topbar && banner) {
      const above = getComputedStyle(topbar).position === "sticky" ? topbar.offsetHeight : 0;
      document.documentElement.style.setProperty("--topbar-height", `${above}px`);
    }
  };
  measure();
  if (window.ResizeObserver) {
    const observer = new ResizeObserver(measure);
    [topbar, banner].filter(Boolean).forEach((part) => observer.observe(part));
  }
})();
