/* A show that changes while somebody looks at it. */
(() => {
  'use strict';
  const shared = window.showbill, { $, $$, on, say, put, money, toast, read, clocks, LOCALE } = shared;

  /* ---- live updates. An event never carries HTML: it marks a row as changed, and changed rows that are on the page
     are fetched together and morphed in place, with the figures above. Whatever may have been missed is read anew. */
  let live, socket, seq = 0, tries = 0, beat = 0, poll = 0, slow = 0, later = 0, again = 0;
  const changed = new Set(); let figures = false, due = 0, fetching = false, reloading = null;
  const panel = () => $('#panel');

  function state(name) {
    if (live.dataset.state === name) return;
    const before = live.dataset.state; live.dataset.state = name;
    live.setAttribute('aria-label', live.lastElementChild.textContent = { on: 'Live updates', reconnecting: 'Reconnecting…', offline: 'Offline' }[name]);
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
    const came = await read(asked.panel = here(), { source: '#panel', target: '#panel', select: '#panel', selectOOB: '#summary:outerMorph,#show-head:outerMorph,#show-tabs:outerMorph,#trend:outerMorph', swap: 'outerMorph' });
    if (came) position();
    await rest(came ? Date.now() - began : 5000); reloading = null; if (now.again || !came && live.dataset.state === 'on') reload();
  }
  /* What was read of an address that is the page's no more, for somebody chose another meanwhile, is not put there. */
  const here = () => location.pathname + location.search, asked = {};
  on('htmx:before:swap', e => { if ((asked[e.target.id] || here()) !== here()) { e.preventDefault(); reload(); } });
  /* Amounts of another currency are written and typed in another way. */
  on('htmx:after:swap', () => { const head = $('#show-head'); if (head && head.dataset.currency !== live.dataset.currency) location.reload(); });
  /* Never more than half of the time is spent on reading anew, however fast news comes. */
  const rest = ms => new Promise(done => setTimeout(done, Math.min(5000, Math.max(80, ms))));
  /* A plan is only run as it was looked at: it is never changed under somebody's eyes. */
  function stale() { const told = $('#stale'); if (told?.hidden) { told.hidden = false; say('The plan changed'); } }
  function follow(id, what = 'run') { const url = new URL(location.href); id ? url.searchParams.set(what, id) : url.searchParams.delete(what); if (url.href !== location.href) history.replaceState(history.state, '', url); }
  function position() { const read = Number(panel()?.dataset.seq || 0); if (read > seq) seq = read; shared.heard = Date.now(); clocks(); }
  function refreshSoon(id) { if (id) changed.add(id); figures = true; due ||= setTimeout(refresh, id ? 80 : 250); }
  async function refresh() {
    due = 0; if (fetching) { due = setTimeout(refresh, 60); return; }
    const ids = [...changed].slice(0, 100); ids.forEach(id => changed.delete(id)); if (!ids.length && !figures) return;
    figures = false; fetching = true; asked.feed = here(); const began = Date.now(), query = new URLSearchParams(location.search); query.set('ids', ids.join(','));
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
      if (shown?.dataset.invoice === m.data.id) read(shown.dataset.href, { source: '#live-banner', target: shown, swap: 'outerMorph' });
      refreshSoon(row ? m.data.id : '');
    },
    'generation.progressed'(m) {
      const g = $('#gen'), d = m.data, at = panel().dataset.state; if (at === 'plan' && location.pathname.endsWith('/plan')) { stale(); return; }
      if (at !== 'list' && at !== 'plan') { later ||= setTimeout(() => { later = 0; reload(); }, 3000); return; }
      if (g?.dataset.run !== d.generationId) { follow(d.generationId); panel().dataset.state = 'list'; reload(); return; }
      const done = d.createdCount + d.failedCount, shown = { done, total: d.totalCount, created: d.createdCount, failed: d.failedCount, left: d.pendingCount, time: timeLeft(d.remainingSeconds) };
      for (const [key, value] of Object.entries(shown)) put($(`[data-gen=${key}]`, g), value.toLocaleString(LOCALE));
      /* What is in hand comes first. */
      $$('#inv-body :is([data-status=queued], [data-status=creating])').slice(0, 20).forEach(row => refreshSoon(row.id.slice(4)));
      const bar = $('progress', g); bar.max = d.totalCount || 1; bar.value = done;
      const quarter = Math.floor(4 * done / (d.totalCount || 1)); if (quarter > Number(g.dataset.quarter || 0)) { g.dataset.quarter = quarter; say(`${done.toLocaleString(LOCALE)} of ${d.totalCount.toLocaleString(LOCALE)} invoices done`); }
    },
    'generation.finished'(m) {
      const { generationId: run, createdCount: n, failedCount: failed, cancelledCount: left, cancelled, marksPaid } = m.data, did = marksPaid ? 'marked as paid elsewhere' : 'created';
      /* The page says it already. */
      if ($('#finished')?.dataset.run === run) { reload(); return; }
      follow(''); reload();
      toast({ kind: failed || cancelled ? 'info' : 'ok', title: `${n.toLocaleString(LOCALE)} ${n === 1 ? 'invoice' : 'invoices'} ${did}${cancelled ? ' before the run was cancelled' : ''}`, body: [failed && `${failed} ${failed === 1 ? 'needs' : 'need'} attention.`, left && (marksPaid ? `Not marked: ${left}. They can still be paid.` : `Not made: ${left}. Their buyers can be invoiced again.`)].filter(Boolean).join(' ') });
    },
    'claims.changed': () => reload(),
    'show.updated': () => $('#show-head') ? read(location.href, { source: '#show-head', target: '#show-head', select: '#show-head', swap: 'outerMorph' }) : reload(),
    'sending.started'(m) { if (panel().dataset.state === 'list') { follow(m.data.sendingId, 'sending'); reload(); } },
    'pay_link.opened'(m) { panel().dataset.state === 'list' ? $(`#inv-${m.data.invoiceId}:not([data-status=paid])`) && refreshSoon(m.data.invoiceId) : reload(); },
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
    const m = JSON.parse(text); if (!reloading) shared.heard = Date.now();
    if (m.type === 'hello') { state('on'); tries = 0; if (m.data.behind || m.data.seq > seq) reload(); seq = m.data.seq; return; }
    if (m.seq) { if (m.seq <= seq) return; if (m.seq > seq + 1) reload(); seq = m.seq; }
    HANDLE[m.type]?.(m);
    document.dispatchEvent(new CustomEvent('live:' + m.type, { detail: m }));
  }
  function connect() {
    /* One that is closing says nothing any more once another was begun. */
    const mine = socket = new WebSocket(`/api/realtime?show_id=${live.dataset.show}&since=${seq}`);
    /* The server pings every 20 s. */
    const alive = () => { clearTimeout(beat); beat = setTimeout(() => mine.close(), 45000); };
    mine.onopen = alive;
    mine.onmessage = e => { if (socket !== mine) return; alive(); hear(e.data); };
    mine.onclose = e => {
      if (socket !== mine) return;
      clearTimeout(beat); if (e.code === 4401 || e.code === 4404) { location.reload(); return; }
      state(navigator.onLine === false ? 'offline' : 'reconnecting');
      again = setTimeout(connect, Math.min(30000, 500 * 2 ** tries++) * (.7 + .6 * Math.random()));
    };
  }

  on('click', e => { if (e.target.closest('[data-reload]')) reload(); });
  /* The browser knows at once that the network went or came; a socket finds out much later. */
  addEventListener('offline', () => state('offline'));
  addEventListener('online', () => { tries = 0; clearTimeout(again); socket.readyState < 2 ? socket.close() : connect(); });
  on('DOMContentLoaded', () => { live = $('#live'); if (live) { position(); connect(); } });
})();
