// Tells that somebody looks at the page: once in a visit of this tab, and only when it is seen. No cookie.
(function () {
  "use strict";
  const place = document.body.dataset.opened;
  if (!place) return;

  function told() {
    try { return sessionStorage.getItem(place) !== null; } catch (_) { return false; }
  }

  function note() {
    try { sessionStorage.setItem(place, "told"); } catch (_) { /* then the server's own count of visits must do */ }
  }

  function tell() {
    if (document.visibilityState !== "visible") return;
    document.removeEventListener("visibilitychange", tell);
    if (told()) return;
    fetch(place, { method: "POST", credentials: "omit", keepalive: true })
      .then(function (answer) { if (answer.ok) note(); }, function () { /* told next time */ });
  }

  document.addEventListener("visibilitychange", tell);
  tell();
})();
