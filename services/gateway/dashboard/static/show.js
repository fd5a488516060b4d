/* What is done with a show's invoices: rows by keyboard, ticks of a plan and of the list. */
(() => {
  'use strict';
  const { $, $$, on, say, put, money, open, LOCALE } = window.showbill;

  /* ---- keyboard: single letters only while the focus is inside a row */
  on('keydown', e => {
    const tr = e.target.closest?.('tr[id^=inv-]'); if (!tr || e.metaKey || e.ctrlKey || e.altKey || e.target.matches('input:not(.sel),textarea,select') || e.target.closest('[popover]')) return;
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { const next = e.key === 'ArrowDown' ? tr.nextElementSibling : tr.previousElementSibling, at = e.target.closest('td,th')?.cellIndex, to = next && ($('button,a,.sel', next.cells[at]) || $('.acts button', next)); if (to) { e.preventDefault(); to.focus(); } }
    else { const b = !e.repeat && $(`[data-key="${CSS.escape(e.key.toLowerCase())}"]`, tr); if (b?.checkVisibility()) { e.preventDefault(); b.click(); } }
  });

  /* ---- the plan: whom to invoice, and which changes to apply. A tick that was taken away outlives a swap; the press says
     what is left of the plan. */
  const ticks = () => $$('#plan [name=buyer]'), off = boxes => boxes.filter(i => !i.checked), seen = one => $$('[name=buyer]', one.closest('table')).filter(i => i.checkVisibility());
  function chosen(told) {
    const b = $('#plan [type=submit][data-count]'), all = $$('#plan [data-all]'); if (!all.length) return;
    const out = off(ticks()), less = key => b.dataset[key] - out.reduce((sum, i) => sum + +(i.closest('tr').dataset[key] || 0), 0), some = (n, word) => `${n.toLocaleString(LOCALE)} ${word}${n === 1 ? '' : 's'}`;
    const n = less('count'), c = less('changes'), words = [n && `Generate ${$('#send')?.checked ? 'and send ' : ''}${some(n, 'invoice')}`, c && `${n ? 'apply' : 'Apply'} ${some(c, 'change')}`].filter(Boolean).join(', ') || 'Choose whom to invoice';
    all.forEach(one => { const boxes = seen(one), left = off(boxes).length; one.checked = !left; one.indeterminate = left > 0 && left < boxes.length; });
    for (const [key, text] of Object.entries({ count: n.toLocaleString(LOCALE), changes: c.toLocaleString(LOCALE), items: less('items').toLocaleString(LOCALE), total: money(less('total'), b.dataset.currency) })) { const shown = $(`[data-sum=${key}]`); if (shown) put(shown, text); }
    put(b, words); b.disabled = 'broken' in b.dataset || !(n + c); if (told) say(words);
  }
  on('change', e => {
    if (e.target.id === 'only') { chosen(); const n = $$('.new [name=buyer]').filter(i => i.checkVisibility()).length; say(`${n} ${n === 1 ? 'buyer' : 'buyers'} shown`); }
    if (!e.target.matches('.pick')) return;
    if ('all' in e.target.dataset) seen(e.target).forEach(i => { i.checked = e.target.checked; });
    ticks().forEach(i => i.closest('td').toggleAttribute('hx-morph-skip', !i.checked)); chosen(true);
  });
  /* The plan of now, with what was left out of the one that is none any more. */
  on('click', e => {
    const a = e.target.closest('#stale a'); if (!a) return;
    e.preventDefault(); const url = new URL(location.href); const out = off(ticks()).map(i => i.value);
    for (const old of ['anew', 'without', 'moved']) url.searchParams.delete(old);
    const send = $('#send'); if (send) url.searchParams.set('send', +send.checked);
    if (out.length > 150) url.searchParams.set('anew', 1); else url.searchParams.set('without', out);
    location.assign(url);
  });

  /* ---- invoices that are selected: a tick outlives every swap, and the bar over the filters says what can be done */
  const selectable = () => $$('#inv-body .sel');
  function selected() {
    const bar = $('#selected'); if (!bar) return;
    const all = selectable(), ids = all.filter(i => i.checked).map(i => i.value), head = $('#sel-all');
    bar.hidden = !ids.length; put($('b', bar), `${ids.length.toLocaleString(LOCALE)} selected`);
    if (head) { head.checked = ids.length > 0 && ids.length === all.length; head.indeterminate = !head.checked && ids.length > 0; }
  }
  function select(boxes, on) { boxes.forEach(i => { i.checked = on; i.closest('td').toggleAttribute('hx-morph-skip', on); }); selected(); say($('#selected b').textContent); }
  on('change', e => { const i = e.target; if (i.matches('.sel')) select(i.id === 'sel-all' ? selectable() : [i], i.checked); });
  /* The ids go in the body: an address of many is longer than what stands before a gateway takes. */
  on('click', e => { const b = e.target.closest('[data-ask]'); if (b) open(b.dataset.ask, { ids: selectable().filter(i => i.checked).map(i => i.value).join() }); });
  on('click', e => { if (e.target.closest('[data-unselect]')) { select(selectable(), false); $('#sel-all')?.focus(); } });

  on('htmx:after:swap', () => { chosen(); selected(); });
  on('DOMContentLoaded', () => { chosen(); selected(); });
})();
