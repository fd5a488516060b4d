/* The desk by keyboard. Marking as sent can be taken back for a moment: only then it is told to the server. Leaving the
   page tells what is still held. A crash tells nothing: the buyer then stands in the queue again, which is the safe side. */
(() => {
  'use strict';
  const HOLD = 6000, held = new Map(), $ = s => document.querySelector(s);
  const say = text => { $('#say').textContent = text; };

  /* Letters only while the focus is at the desk, and never while somebody types; a key that is held down counts once. */
  document.addEventListener('keydown', e => {
    if (e.repeat || e.metaKey || e.ctrlKey || e.altKey || !e.target.closest?.('#panel, #undo') || e.target.matches('input, textarea, select')) return;
    const key = e.key.toLowerCase();
    if (key === 'u' && held.size) { e.preventDefault(); undo(); return; }
    const act = key.length === 1 && /[a-z]/.test(key) && $(`#card [data-desk=${key}]`);
    if (act) { e.preventDefault(); act.click(); }
  });
  document.addEventListener('click', e => {
    const link = e.target.closest('a[data-desk-to], a[data-desk=j], a[data-desk=k]');
    if (link && !e.metaKey && !e.ctrlKey && !e.shiftKey) { e.preventDefault(); show(link.href); }
    if (e.target.closest('[data-undo]')) undo();
  });
  document.addEventListener('submit', e => { if (e.target.matches('[data-desk-form]')) { e.preventDefault(); mark($('#card').dataset); } });

  /* Shows a buyer; those who are held are left out. The address stays the state of the page. It waits for no reading anew
     that is under way, which comes to nothing once the address is another; the last press counts. */
  function address(to) { const url = new URL(to, location.href); url.hash = ''; if (held.size) url.searchParams.set('skip', [...held.keys()].join(',')); else url.searchParams.delete('skip'); return url.pathname + url.search; }
  async function show(to) {
    const path = address(to); history.replaceState(history.state, '', path);
    const came = await window.showbill.read(path, { source: '#undo', target: '#panel', select: '#panel', swap: 'outerMorph' });
    pin(); if (!came) return;
    const card = $('#card'); card?.focus(); say(card?.dataset.buyer || $('#card h2').textContent);
  }
  /* Who is in hand stands in the address: a live update never puts another one into the hand. */
  function pin() { const id = $('#card')?.dataset.id; if (!id) return; const url = new URL(location.href); url.searchParams.set('at', id); history.replaceState(history.state, '', address(url)); }
  function mark({ id, url, revision, buyer, next, previous, home }) {
    if (held.has(id)) return;
    held.set(id, { url, revision, buyer, back: location.href, timer: setTimeout(() => settle(id), HOLD) });
    $('#undo span').textContent = `${buyer} marked as sent.`; $('#undo').hidden = false;
    show(next || previous || home);
  }
  function undo() {
    const [id, one] = [...held].pop() || []; if (!id) return;
    clearTimeout(one.timer); held.delete(id); tidy(); show(one.back); say(`${one.buyer} is not marked as sent`);
  }
  function tidy() { if (!held.size) $('#undo').hidden = true; }
  const tell = (one, leaving) => fetch(one.url, { method: 'POST', keepalive: leaving, headers: { 'HX-Request': 'true' }, body: new URLSearchParams({ revision: one.revision }) });
  async function settle(id) {
    const one = held.get(id); let told = false;
    try { told = (await tell(one, false)).status === 204; } catch { /* told is false */ }
    held.delete(id); tidy();
    if (!told) document.dispatchEvent(new CustomEvent('toast', { detail: { kind: 'error', title: `${one.buyer} could not be marked as sent`, body: 'The buyer is in the queue again. Try once more.' } }));
    pin(); if (!told) show(location.href);
  }
  addEventListener('pagehide', () => { for (const one of held.values()) { clearTimeout(one.timer); tell(one, true); } held.clear(); });
  document.addEventListener('DOMContentLoaded', () => { history.replaceState(history.state, '', address(location.href)); pin(); $('#card')?.focus({ preventScroll: true }); });
})();
