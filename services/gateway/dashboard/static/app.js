/* What HTML cannot do by itself, on every page: messages, dialogs, copying, times. htmx makes the requests and swaps.
   A classic deferred script: no build, no eval, nothing inline. live.js and show.js have what only shows need. */
(() => {
  'use strict';
  const $ = (s, r = document) => r.querySelector(s), $$ = (s, r = document) => [...r.querySelectorAll(s)];
  const on = (type, run, early) => document.addEventListener(type, run, early);
  /* Of the reader, with the digits that the server writes. */
  const LOCALE = document.documentElement.dataset.locale + '-u-nu-latn';
  const SVG = 'http://www.w3.org/2000/svg';
  const icon = (name, cls) => {
    const svg = document.createElementNS(SVG, 'svg'), use = document.createElementNS(SVG, 'use');
    svg.setAttribute('class', 'i' + (cls ? ' ' + cls : '')); svg.setAttribute('aria-hidden', 'true');
    use.setAttribute('href', `${document.body.dataset.sprite}#i-${name}`); svg.append(use);
    return svg;
  };
  const el = (tag, cls, ...kids) => { const e = document.createElement(tag); if (cls) e.className = cls; e.append(...kids); return e; };
  /* Minor units as the reader writes money. The server says how many make one: browsers have their own mind of it. */
  const money = (amount, currency) => {
    const places = +$('#live').dataset.places;
    return new Intl.NumberFormat(LOCALE, { style: 'currency', currency, minimumFractionDigits: places, maximumFractionDigits: places }).format(amount / 10 ** places);
  };

  /* ---- said to screen readers: one polite queue, at most one utterance every 3 s */
  const lines = []; let saying = 0;
  function say(text, now) {
    if (now) { $('#say-now').textContent = text; return; }
    lines.push(text); if (saying) return;
    const flush = () => { $('#say').textContent = lines.slice(-3).join('. '); lines.length = 0; saying = setTimeout(() => { saying = 0; if (lines.length) flush(); }, 3000); };
    saying = setTimeout(flush, 60);
  }

  /* ---- messages in the corner, four at most */
  const PRESSED = 'a, button, form, input, #dlg';
  const KIND = { paid: 'circle-check', ok: 'circle-check', error: 'circle-alert', info: 'info' };
  function toast({ kind = 'ok', title, body = '', copy = '', ms = kind === 'error' ? 0 : 6000 }) {
    const box = $('#toasts'), close = el('button', 'btn btn-s btn-ghost btn-icon', icon('x'));
    close.type = 'button'; close.setAttribute('aria-label', 'Dismiss'); close.dataset.dismiss = '';
    const words = el('div', '', el('b', '', title), el('span', '', body));
    if (copy) { const again = el('button', 'btn btn-s btn-outline mt-1', icon('copy', 'i-s'), 'Copy again'); again.type = 'button'; again.dataset.copy = copy; again.dataset.copyLabel = 'Message'; words.append(el('div', '', again)); }
    const shown = el('div', 'toast', icon(KIND[kind] || 'info'), words, close); shown.dataset.k = kind;
    while (box.children.length > 3) box.firstElementChild.remove();
    box.append(shown); say(body ? `${title}. ${body}` : title, kind === 'error');
    if (ms) { let id; const arm = () => { id = setTimeout(() => shown.remove(), ms); }; arm(); shown.addEventListener('pointerenter', () => clearTimeout(id)); shown.addEventListener('pointerleave', arm); shown.addEventListener('focusin', () => clearTimeout(id)); }
    return shown;
  }
  /* HX-Trigger: {"toast": {…}} */
  on('toast', async e => {
    /* What nobody pressed says it once. */
    const told = e.detail; if (!e.target.matches?.(PRESSED) && $('#toasts').textContent.includes(told.title)) return;
    if (told.copy) { try { await navigator.clipboard.writeText(told.copy); } catch { told.title = 'Message ready to copy'; told.body = 'The browser did not let us copy it.'; } }
    toast(told);
  });

  /* Reads something into the page; tells whether it came, which htmx only tells by events. Each source has a queue of its
     own, so that one never waits behind another, nor is dropped for it. */
  async function read(href, how) {
    const from = $(how.source); let came = false;
    const note = e => { if (e.target === from) came = e.detail.ctx.response?.raw.ok; };
    from.addEventListener('htmx:finally:request', note);
    try { await htmx.ajax(how.values ? 'POST' : 'GET', href, how); } finally { from.removeEventListener('htmx:finally:request', note); }
    return came;
  }

  /* ---- pages that are shown as a dialog: a question before what cannot be undone, a timeline */
  const dialog = () => $('#dlg');
  async function open(href, values) {
    /* Of two, the last. */
    await read(href, { source: '#dlg', target: '#dlg', swap: 'innerHTML', values });
    if (dialog().firstElementChild && !dialog().open) dialog().showModal();
    ($('[autofocus]', dialog()) || $('a, button', dialog()))?.focus();
  }
  on('close', e => { if (e.target === dialog()) { dialog().replaceChildren(); const at = document.activeElement; if (at === document.body || at === dialog()) $('#panel')?.focus({ preventScroll: true }); } }, true);

  /* ---- clicks */
  on('click', async e => {
    const a = e.target.closest('a');
    if (a && dialog() && !e.metaKey && !e.ctrlKey && !e.shiftKey) {
      if ('dialog' in a.dataset) { e.preventDefault(); a.closest('[popover]')?.hidePopover(); open(a.href); return; }
      if ('close' in a.dataset && dialog().open) { e.preventDefault(); dialog().close(); return; }
    }
    const b = e.target.closest('button'); if (!b) return;
    const d = b.dataset;
    if ('dismiss' in d) b.closest('.toast').remove();
    else if (d.copy) {
      try { await navigator.clipboard.writeText(d.copy); } catch { toast({ kind: 'error', title: 'The browser did not let us copy it', body: d.copy }); return; }
      const label = $('[data-label]', b), was = label && label.textContent;
      if (label) { label.textContent = 'Copied'; setTimeout(() => { label.textContent = was; }, 1600); say(`${d.copyLabel} copied`); }
      else toast({ kind: 'ok', title: `${d.copyLabel || 'Text'} copied`, ms: 2500 });
    }
    else if (d.reveal) { const i = document.getElementById(d.reveal), show = i.type === 'password'; i.type = show ? 'text' : 'password'; b.setAttribute('aria-pressed', show); $('use', b).setAttribute('href', `${document.body.dataset.sprite}#i-eye${show ? '-off' : ''}`); }
    else if (d.insert) { const t = document.getElementById(d.into); t.setRangeText(d.insert, t.selectionStart, t.selectionEnd, 'end'); t.focus(); t.dispatchEvent(new Event('input', { bubbles: true })); }
    else if (d.themeSet) theme(d.themeSet);
    if (b.closest('.menu')) b.closest('[popover]')?.hidePopover();
  });
  /* In a cookie, so that the server paints the right theme first time. */
  function theme(name) { const root = document.documentElement; if (name === 'system') delete root.dataset.theme; else root.dataset.theme = name; document.cookie = `theme=${name};path=/;max-age=31536000;samesite=lax`; }

  /* ---- a form is sent once; its button says so */
  function busy(form) {
    const b = $('[type=submit][data-busy]', form); if (!b || b.getAttribute('aria-busy')) return;
    b.setAttribute('aria-busy', 'true'); b.was = [...b.childNodes]; b.replaceChildren(icon('loader-circle', 'spin'), b.dataset.busy);
  }
  function idle(form) { const b = $('[aria-busy=true]', form); if (b?.was) { b.removeAttribute('aria-busy'); b.replaceChildren(...b.was); } }
  on('submit', e => { const f = e.target; if (f.matches('[data-once]:not([hx-post]), [hx-ignore] [data-once]')) { if (f.dataset.sent) e.preventDefault(); f.dataset.sent = '1'; busy(f); } });
  addEventListener('pageshow', e => { if (e.persisted) location.reload(); });
  /* A file that was chosen before htmx listened, or that the browser kept, is looked at like one chosen now: htmx, loaded before, begins by such a timer too. */
  setTimeout(() => $$('.pv').forEach(i => i.files?.length && i.dispatchEvent(new Event('change', { bubbles: true }))));

  on('htmx:before:request', e => { const form = e.target; if (form.matches?.('form') && !e.defaultPrevented) { busy(form); form.asked = form.q?.value; } });
  /* What was typed while the answer was on its way is searched for too: a swap may still what waited to be asked. */
  on('htmx:finally:request', e => { const form = e.target, ctx = e.detail.ctx; if (form.matches?.('form') && !ctx.hx?.redirect) { idle(form); if (form.asked !== form.q?.value) form.q.dispatchEvent(new Event('input', { bubbles: true })); if ('closes' in form.dataset && ctx.response?.raw.ok) dialog()?.close(); } });

  /* ---- keyboard */
  on('keydown', e => {
    const find = $('#find'); if (find && (e.metaKey || e.ctrlKey) && e.key.toLowerCase() === 'k') { e.preventDefault(); find.focus(); find.select(); }
  });

  on('said', e => say(e.detail.text));

  /* ---- times, in the reader's own time and growing older */
  const AGES = [[60, 1, ''], [3600, 60, 'min'], [86400, 3600, 'h'], [30 * 86400, 86400, 'd']];
  function ago(at) { const s = Math.max(0, (Date.now() - at) / 1000); for (const [limit, size, unit] of AGES) if (s < limit) return unit ? `${Math.floor(s / size)} ${unit} ago` : 'just now'; return new Date(at).toLocaleDateString(LOCALE); }
  function put(node, text) { if (node.textContent !== text) node.textContent = text; }
  /* Dear to make. */
  const formats = {}, dates = timeStyle => formats[timeStyle] ||= new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle });
  function clocks() {
    $$('time[data-ago]').forEach(t => put(t, ago(Date.parse(t.dateTime))));
    $$('time[data-moment]').forEach(t => put(t, dates('short').formatRange(new Date(t.dateTime), new Date(t.dataset.moment || t.dateTime))));
    $$('time[data-day]').forEach(t => put(t, dates().format(new Date(t.dateTime))));
    const s = Math.round((Date.now() - shared.heard) / 1000), since = s < 5 ? 'just now' : s < 60 ? `${s} s ago` : ago(shared.heard);
    $$('[data-fresh]').forEach(n => put(n, since));
    $$('[data-fresh-line]').forEach(n => put(n, $('#live') ? `Checked ${since}` : ''));
  }

  /* ---- requests that fail without an answer, done or not; one that is answered brings its own message */
  on('htmx:error', e => { if (e.detail.ctx && e.target.matches?.(PRESSED)) toast({ kind: 'error', title: 'No answer came', body: 'Check your connection, and look whether it was done before you try again.' }); });
  /* A swap must never drop the keyboard on <body>: it lands on the same row's main button, or on what was put anew. */
  let held, row;
  on('htmx:before:swap', () => { held = document.activeElement; row = held?.closest('tr[id]')?.id; });
  on('htmx:after:swap', () => { if (held !== document.body && document.activeElement === document.body) (row && $(`#${row} [data-key], #${row} [popovertarget^=m-]`) || $('#panel'))?.focus({ preventScroll: true }); clocks(); });
  on('DOMContentLoaded', () => {
    $$('[data-zone]').forEach(i => { i.value = Intl.DateTimeFormat().resolvedOptions().timeZone; });
    $$('[data-at]').forEach(i => { const t = new Date(i.dataset.at); i.form.had_start.value = i.value = new Date(t - 6e4 * t.getTimezoneOffset()).toISOString().slice(0, 16); });
    clocks(); setInterval(clocks, 10000);
  });

  /* What the scripts of single pages build on; `heard` is when the page was last known to be right. */
  const shared = window.showbill = { $, $$, on, icon, el, say, put, money, toast, read, open, clocks, LOCALE, heard: Date.now() };
})();
