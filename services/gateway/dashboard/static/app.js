/* What HTML cannot do by itself: live updates, messages, copying, hints on keys. htmx makes the requests and swaps.
   A classic deferred script: no build, no eval, nothing inline. */
(() => {
  'use strict';
  const $ = (s, r = document) => r.querySelector(s), $$ = (s, r = document) => [...r.querySelectorAll(s)];
  const on = (type, run, early) => document.addEventListener(type, run, early);
  const LOCALE = document.documentElement.dataset.locale || 'en';
  const SVG = 'http://www.w3.org/2000/svg';
  const icon = (name, cls) => {
    const svg = document.createElementNS(SVG, 'svg'), use = document.createElementNS(SVG, 'use');
    svg.setAttribute('class', 'i' + (cls ? ' ' + cls : '')); svg.setAttribute('aria-hidden', 'true');
    use.setAttribute('href', `${document.body.dataset.sprite}#i-${name}`); svg.append(use);
    return svg;
  };
  const el = (tag, cls, ...kids) => { const e = document.createElement(tag); if (cls) e.className = cls; e.append(...kids); return e; };
  /* Minor units as the reader writes money: Intl knows how many of them make one. */
  const money = (amount, currency) => {
    const format = new Intl.NumberFormat(LOCALE, { style: 'currency', currency });
    return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
  };

  /* ---- said to screen readers: one polite queue, at most one utterance every 3 s */
  const lines = []; let saying = 0;
  function say(text, now) {
    if (now) { $('#say-now').textContent = text; return; }
    lines.push(text); if (saying) return;
    const flush = () => { $('#say').textContent = lines.slice(-3).join('. '); lines.length = 0; saying = setTimeout(() => { saying = 0; if (lines.length) saying = setTimeout(flush, 0); }, 3000); };
    saying = setTimeout(flush, 60);
  }

  window.showbill = { $, $$, on, icon, el, say };

  /* ---- messages in the corner, four at most */
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
  on('toast', async e => {                                         // HX-Trigger: {"toast": {…}}
    const told = e.detail;
    if (told.copy) { try { await navigator.clipboard.writeText(told.copy); } catch { told.title = 'Message ready to copy'; told.body = 'The browser did not let us copy it.'; } }
    toast(told);
  });

  /* Reads something into the page; tells whether it came, which htmx only tells by events. Each source has a queue of its
     own, so that one never waits behind another, nor is dropped for it. */
  async function read(href, how) {
    const from = $(how.source); let came = false;
    const note = e => { if (e.target === from) came = e.detail.ctx.response?.raw.ok; };
    from.addEventListener('htmx:finally:request', note);
    try { await htmx.ajax('GET', href, how); } finally { from.removeEventListener('htmx:finally:request', note); }
    return came;
  }

  /* ---- pages that are shown as a dialog: a question before what cannot be undone, a timeline */
  const dialog = () => $('#dlg');
  async function open(href) {
    if (await read(href, { source: '#dlg', target: '#dlg', swap: 'innerHTML' }) === undefined) failed();
    if (dialog().firstElementChild && !dialog().open) dialog().showModal();
    $('[autofocus]', dialog())?.focus();
  }
  on('close', e => { if (e.target === dialog()) dialog().replaceChildren(); }, true);

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
    else if ('reload' in d) reload();
    if (b.closest('.menu')) b.closest('[popover]')?.hidePopover();
  });
  /* In a cookie, so that the server paints the right theme first time. */
  function theme(name) { const root = document.documentElement; if (name === 'system') delete root.dataset.theme; else root.dataset.theme = name; document.cookie = `theme=${name};path=/;max-age=31536000;samesite=lax`; }

  /* ---- a form is sent once; its button says so */
  function busy(form) {
    const b = $('[type=submit][data-busy]', form); if (!b || b.getAttribute('aria-busy')) return;
    b.setAttribute('aria-busy', 'true'); b.dataset.was = b.textContent; b.replaceChildren(icon('loader-circle', 'spin'), b.dataset.busy);
  }
  function idle(form) { const b = $('[aria-busy=true][data-was]', form); if (b) { b.removeAttribute('aria-busy'); b.textContent = b.dataset.was; } }
  on('submit', e => { const f = e.target; if (f.matches('[data-once]') && !f.hasAttribute('hx-post')) { if (f.dataset.sent) e.preventDefault(); f.dataset.sent = '1'; busy(f); } });
  addEventListener('pageshow', e => { if (e.persisted) location.reload(); });

  on('htmx:before:request', e => { if (e.target.matches?.('form') && !e.defaultPrevented) busy(e.target); });
  on('htmx:finally:request', e => { const form = e.target, ctx = e.detail.ctx; if (form.matches?.('form') && !ctx.hx?.redirect) { idle(form); if ('closes' in form.dataset && ctx.response?.raw.ok) dialog()?.close(); } });

  /* ---- keyboard: single letters only while the focus is inside a row */
  on('keydown', e => {
    const find = $('#find'); if (find && (e.metaKey || e.ctrlKey) && e.key.toLowerCase() === 'k') { e.preventDefault(); find.focus(); find.select(); return; }
    const tr = e.target.closest?.('tr[id^=inv-]'); if (!tr || e.metaKey || e.ctrlKey || e.altKey || e.target.matches('input,textarea,select') || e.target.closest('[popover]')) return;
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { const next = e.key === 'ArrowDown' ? tr.nextElementSibling : tr.previousElementSibling, at = e.target.closest('td,th')?.cellIndex, to = next && ($('button,a', next.cells[at]) || $('.acts button', next)); if (to) { e.preventDefault(); to.focus(); } }
    else { const b = $(`[data-key="${CSS.escape(e.key.toLowerCase())}"]`, tr); if (b) { e.preventDefault(); b.click(); } }
  });

  /* ---- cells edited in place. What somebody types is never morphed away under them, nor the state that it was read from:
     the cell is left out of every swap until it is saved. */
  const cell = e => e.target.closest?.('[data-cell]'), box = input => input.closest('td');
  function keep(input) { box(input)?.toggleAttribute('hx-morph-skip', input.value !== input.defaultValue); }
  const save = input => { if (input.value !== input.defaultValue || input.getAttribute('aria-invalid')) input.form.requestSubmit(); };
  on('input', e => { if (cell(e)) keep(e.target); });
  on('change', e => { if (cell(e)) save(e.target); });
  on('keydown', e => {
    const input = cell(e), step = { Enter: 1, ArrowDown: 1, ArrowUp: -1 }[e.key]; if (!input) return;
    if (e.key === 'Escape') { input.value = input.defaultValue; keep(input); }
    if (!step || e.isComposing) return;
    e.preventDefault(); const all = $$(`[data-cell][name=${input.name}]`), next = all[all.indexOf(input) + step];
    if (next) { next.focus(); next.select(); } else if (step > 0) save(input);
  });
  on('htmx:before:request', e => { const input = e.target.matches?.('form.cell') && $('[data-cell]', e.target); if (input) { e.target.dataset.sent = input.value; box(input).removeAttribute('hx-morph-skip'); } });
  on('htmx:finally:request', e => {
    const form = e.target, input = form.matches?.('form.cell') && $('[data-cell]', form); if (!input) return;
    const sent = form.dataset.sent; delete form.dataset.sent; const ok = e.detail.ctx.response?.raw.ok;
    if (input.value !== sent) { keep(input); if (document.activeElement !== input) save(input); }       // typed on while it was under way
    else if (e.detail.ctx.response && (ok || input.value !== input.defaultValue)) input.value = input.defaultValue;
    else keep(input);
  });
  on('said', e => say(e.detail.text));

  /* ---- the plan: whom to invoice, and which changes to apply. A tick that was taken away outlives a swap; the press says
     what is left of the plan. */
  const ticks = () => $$('#plan [name=buyer]'), off = boxes => boxes.filter(i => !i.checked);
  function chosen(told) {
    const b = $('#plan [type=submit][data-count]'), all = $$('#plan [data-all]'); if (!all.length) return;
    const out = off(ticks()), less = key => b.dataset[key] - out.reduce((sum, i) => sum + +(i.dataset[key] || 0), 0), some = (n, word) => `${n.toLocaleString(LOCALE)} ${word}${n === 1 ? '' : 's'}`;
    const n = less('count'), c = less('changes'), words = [n && `Generate ${some(n, 'invoice')}`, c && `${n ? 'apply' : 'Apply'} ${some(c, 'change')}`].filter(Boolean).join(', ') || 'Choose whom to invoice';
    all.forEach(one => { const boxes = $$('[name=buyer]', one.closest('table')), left = off(boxes).length; one.checked = !left; one.indeterminate = left > 0 && left < boxes.length; });
    for (const [key, text] of Object.entries({ count: n.toLocaleString(LOCALE), changes: c.toLocaleString(LOCALE), items: less('items').toLocaleString(LOCALE), total: money(less('total'), b.dataset.currency) })) { const shown = $(`[data-sum=${key}]`); if (shown) put(shown, text); }
    put(b, words); b.disabled = 'broken' in b.dataset || !(n + c); if (told) say(words);
  }
  on('change', e => {
    if (!e.target.matches('.pick')) return;
    if ('all' in e.target.dataset) $$('[name=buyer]', e.target.closest('table')).forEach(i => { i.checked = e.target.checked; });
    ticks().forEach(i => i.closest('td').toggleAttribute('hx-morph-skip', !i.checked)); chosen(true);
  });
  /* The plan of now, with what was left out of the one that is none any more. */
  on('click', e => {
    const a = e.target.closest('#stale a'); if (!a) return;
    e.preventDefault(); const url = new URL(location.href); url.searchParams.set('without', off(ticks()).map(i => i.value).join(',')); location.assign(url);
  });

  /* ---- times, in the reader's own time and growing older */
  const AGES = [[60, 1, ''], [3600, 60, 'min'], [86400, 3600, 'h'], [30 * 86400, 86400, 'd']];
  function ago(at) { const s = Math.max(0, (Date.now() - at) / 1000); for (const [limit, size, unit] of AGES) if (s < limit) return unit ? `${Math.floor(s / size)} ${unit} ago` : 'just now'; return new Date(at).toLocaleDateString(LOCALE); }
  function put(node, text) { if (node.textContent !== text) node.textContent = text; }
  function clocks() {
    $$('time[data-ago]').forEach(t => put(t, ago(Date.parse(t.dateTime))));
    $$('time[data-moment]').forEach(t => put(t, new Date(t.dateTime).toLocaleString(LOCALE, { dateStyle: 'medium', timeStyle: 'short' })));
    $$('time[data-day]').forEach(t => put(t, new Date(t.dateTime).toLocaleDateString(LOCALE, { dateStyle: 'medium' })));
    const s = Math.round((Date.now() - heard) / 1000), since = s < 5 ? 'just now' : s < 60 ? `${s} s ago` : ago(heard);
    $$('[data-fresh]').forEach(n => put(n, since));
    $$('[data-fresh-line]').forEach(n => put(n, live ? `Checked ${since}` : ''));
  }

  /* ---- live updates. An event never carries HTML: it marks a row as changed, and changed rows that are on the page
     are fetched together and morphed in place, with the figures above. Whatever may have been missed is read anew. */
  let live = null, socket, seq = 0, tries = 0, beat = 0, poll = 0, slow = 0, later = 0, heard = Date.now();
  const changed = new Set(); let figures = false, due = 0, fetching = false, reloading = null;
  const panel = () => $('#panel');

  function state(name) {
    if (live.dataset.state === name) return;
    const before = live.dataset.state; live.dataset.state = name;
    live.lastElementChild.textContent = { on: 'Live updates', reconnecting: 'Reconnecting…', offline: 'Offline' }[name];
    live.setAttribute('aria-label', { on: 'Live updates are on', reconnecting: 'Reconnecting to live updates', offline: 'You are offline' }[name]);
    clearTimeout(slow); clearInterval(poll);
    if (name === 'on') $('#live-banner').hidden = true;
    else { slow = setTimeout(() => { clocks(); $('#live-banner').hidden = false; }, 5000); poll = setInterval(reload, 30000); }
    if (before !== 'connecting') say(name === 'on' ? 'Live updates are back' : 'Live updates stopped, reconnecting');
  }
  /* The panel anew, whole; wishes that come meanwhile are one more time. */
  async function reload() {
    if (panel().dataset.state === 'plan') { stale(); return; }
    if (reloading) { reloading.again = true; return; }
    const now = reloading = { again: false }, began = Date.now();
    const came = await read(location.pathname + location.search, { source: '#panel', target: '#panel', select: '#panel', selectOOB: '#summary:outerMorph,#show-head:outerMorph,#show-tabs:outerMorph,#trend:outerMorph', swap: 'outerMorph' });
    if (came) position();
    await rest(came ? Date.now() - began : 5000); reloading = null; if (now.again || !came && live.dataset.state === 'on') reload();
  }
  /* Never more than half of the time is spent on reading anew, however fast news comes. */
  const rest = ms => new Promise(done => setTimeout(done, Math.min(5000, Math.max(80, ms))));
  /* A plan is only run as it was looked at: it is never changed under somebody's eyes. */
  function stale() { const told = $('#stale'); if (told?.hidden) { told.hidden = false; say('The plan changed'); } }
  function follow(id, what = 'run') { const url = new URL(location.href); id ? url.searchParams.set(what, id) : url.searchParams.delete(what); if (url.href !== location.href) history.replaceState(history.state, '', url); }
  function position() { const read = Number(panel()?.dataset.seq || 0); if (read > seq) seq = read; heard = Date.now(); clocks(); }
  function refreshSoon(id) { if (id) changed.add(id); figures = true; due ||= setTimeout(refresh, id ? 80 : 250); }
  async function refresh() {
    due = 0; if (fetching) { due = setTimeout(refresh, 60); return; }
    const ids = [...changed].slice(0, 100); ids.forEach(id => changed.delete(id)); if (!ids.length && !figures) return;
    figures = false; fetching = true; const began = Date.now(), query = new URLSearchParams(location.search); query.set('ids', ids.join(','));
    if (!await read(`/shows/${live.dataset.show}/invoices/rows?${query}`, { source: '#feed', target: '#feed', swap: 'none' })) reload();
    await rest(Date.now() - began); fetching = false;
    if (changed.size || figures) due ||= setTimeout(refresh, 0);
  }
  function timeLeft(s) { if (s == null) return ''; if (s < 60) return 'less than a minute left'; const m = Math.round(s / 60); return `about ${m} minute${m === 1 ? '' : 's'} left`; }
  const HANDLE = {
    'invoice.updated'(m) {
      const row = document.getElementById('inv-' + m.data.id), shown = $('#dlg [data-invoice]');
      if (row && m.data.version <= Number(row.dataset.version)) return;
      if (m.data.status === 'paid' && row?.dataset.status !== 'paid') { paid.push(m.data); if (paid.length === 1) setTimeout(tellPaid, 350); }
      if (panel().dataset.state !== 'list') { reload(); return; }
      if (shown?.dataset.invoice === m.data.id) open(shown.dataset.href);
      refreshSoon(row ? m.data.id : '');
    },
    'generation.progressed'(m) {
      const g = $('#gen'), d = m.data, at = panel().dataset.state; if (at === 'plan' && location.pathname.endsWith('/plan')) { stale(); return; }
      if (at !== 'list' && at !== 'plan') { later ||= setTimeout(() => { later = 0; reload(); }, 3000); return; }
      if (g?.dataset.run !== d.generationId) { follow(d.generationId); panel().dataset.state = 'list'; reload(); return; }
      const done = d.createdCount + d.failedCount, shown = { done, total: d.totalCount, created: d.createdCount, failed: d.failedCount, left: d.pendingCount, time: timeLeft(d.remainingSeconds) };
      for (const [key, value] of Object.entries(shown)) put($(`[data-gen=${key}]`, g), String(value));
      const bar = $('progress', g); bar.max = d.totalCount || 1; bar.value = done;
      const quarter = Math.floor(4 * done / (d.totalCount || 1)); if (quarter > Number(g.dataset.quarter || 0)) { g.dataset.quarter = quarter; say(`${done} of ${d.totalCount} invoices done`); }
    },
    'generation.finished'(m) {
      follow(''); reload(); const { createdCount: n, failedCount: failed, cancelledCount: left, cancelled } = m.data;
      toast({ kind: failed || cancelled ? 'info' : 'ok', title: `${n} ${n === 1 ? 'invoice' : 'invoices'} ${cancelled ? 'created before the run was cancelled' : 'created'}`, body: [failed && `${failed} need attention.`, left && `${left} were not made. Their buyers can be invoiced again.`].filter(Boolean).join(' ') });
    },
    'claims.changed': () => reload(),
    'show.updated': () => $('#show-head') ? read(location.href, { source: '#show-head', target: '#show-head', select: '#show-head', swap: 'outerMorph' }) : reload(),
    'sending.started'(m) { if (panel().dataset.state === 'list') { follow(m.data.sendingId, 'sending'); reload(); } },
    'pay_link.opened'(m) { panel().dataset.state === 'list' ? document.getElementById('inv-' + m.data.invoiceId) && refreshSoon(m.data.invoiceId) : reload(); },
    'integration.updated': () => reload(),
    resync: () => reload(),
  };
  /* One message for payments at a time: while it is up, new ones add to it. */
  let paid = [], till = [];
  function tellPaid() {
    const fresh = paid; paid = []; const old = $('#toasts [data-k=paid]'); till = old ? till.concat(fresh) : fresh; old?.remove();
    const sum = money(till.reduce((whole, one) => whole + one.total, 0), till[0].currency), who = till.map(one => one.handle || one.displayName);
    toast(till.length === 1 ? { kind: 'paid', title: `${who[0]} paid ${sum}`, body: till[0].number } : { kind: 'paid', title: `${till.length} buyers paid ${sum}`, body: who.slice(-3).join(', ') + (till.length > 3 ? ` and ${till.length - 3} more` : '') });
  }
  function hear(text) {
    const m = JSON.parse(text); heard = Date.now();
    if (m.type === 'hello') { if (m.data.behind || m.data.seq > seq) reload(); seq = Math.max(seq, m.data.seq); return; }
    if (m.seq) { if (m.seq <= seq) return; if (m.seq > seq + 1) reload(); seq = m.seq; }
    HANDLE[m.type]?.(m);
    document.dispatchEvent(new CustomEvent('live:' + m.type, { detail: m }));
  }
  function connect() {
    const url = new URL('/api/realtime', location.href); url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    url.searchParams.set('show_id', live.dataset.show); url.searchParams.set('since', seq);
    socket = new WebSocket(url);
    const alive = () => { clearTimeout(beat); beat = setTimeout(() => socket.close(), 45000); };     // the server pings every 20 s
    socket.onopen = () => { state('on'); tries = 0; alive(); };
    socket.onmessage = e => { alive(); hear(e.data); };
    socket.onclose = e => {
      clearTimeout(beat); if (e.code === 4401 || e.code === 4404) { location.reload(); return; }
      state(navigator.onLine === false ? 'offline' : 'reconnecting');
      setTimeout(connect, Math.min(30000, 500 * 2 ** tries++) * (.7 + .6 * Math.random()));
    };
  }

  /* ---- requests that fail without an answer; one that is answered brings its own message */
  const failed = () => toast({ kind: 'error', title: 'That did not go through', body: 'Check your connection and try again.' });
  on('htmx:error', e => { if (e.detail.ctx && e.target.matches?.('a, button, form, input')) failed(); });
  /* A swap must never drop the keyboard on <body>: it lands on the same row's main button. */
  let held = '';
  on('htmx:before:swap', () => { held = document.activeElement?.closest?.('tr[id]')?.id || ''; });
  on('htmx:after:swap', () => { if (held && document.activeElement === document.body) $(`#${held} [data-key], #${held} [popovertarget^=m-]`)?.focus(); held = ''; clocks(); chosen(); });
  on('DOMContentLoaded', () => {
    live = $('#live');
    $$('[data-zone]').forEach(i => { i.value = Intl.DateTimeFormat().resolvedOptions().timeZone; });
    $$('[data-at]').forEach(i => { const t = new Date(i.dataset.at); i.value = new Date(t - 6e4 * t.getTimezoneOffset()).toISOString().slice(0, 16); });
    clocks(); chosen(); setInterval(clocks, 10000);
    if (live) { position(); connect(); }
  });
})();
