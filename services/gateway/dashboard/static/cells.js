/* Items and buyers of a show, edited where they stand. What somebody types is never morphed away under them, nor the state
   that it was read from, nor why it was not taken: the cell is left out of every swap until it is saved. */
(() => {
  'use strict';
  const { $, $$, on } = window.showbill;

  const cell = e => e.target.closest?.('[data-cell]'), box = input => input.closest('td');
  function keep(input) { box(input)?.toggleAttribute('hx-morph-skip', input.value !== input.defaultValue || input.hasAttribute('aria-invalid')); }
  const save = input => { if (input.value !== input.defaultValue || input.getAttribute('aria-invalid')) input.form.requestSubmit(); };
  on('input', e => { if (cell(e)) keep(e.target); });
  on('change', e => { if (cell(e)) save(e.target); });
  on('keydown', e => {
    const input = cell(e), step = { Enter: 1, ArrowDown: 1, ArrowUp: -1 }[e.key]; if (!input) return;
    if (e.key === 'Escape') { input.value = input.defaultValue; input.removeAttribute('aria-invalid'); keep(input); }
    if (!step || e.isComposing) return;
    e.preventDefault(); const all = $$(`[data-cell][name=${input.name}]`), next = all[all.indexOf(input) + step];
    if (next) { next.focus(); next.select(); } else if (step > 0) save(input);
  });
  on('htmx:before:request', e => { const input = e.target.matches?.('form.cell') && $('[data-cell]', e.target); if (input) { e.target.dataset.sent = input.value; box(input).removeAttribute('hx-morph-skip'); } });
  on('htmx:finally:request', e => {
    const form = e.target, input = form.matches?.('form.cell') && $('[data-cell]', form); if (!input) return;
    const sent = form.dataset.sent; delete form.dataset.sent; const ok = e.detail.ctx.response?.raw.ok;
    /* Typed on while it was under way. */
    if (input.value !== sent) { keep(input); if (document.activeElement !== input) save(input); return; }
    if (e.detail.ctx.response && (ok || input.value !== input.defaultValue)) input.value = input.defaultValue;
    keep(input);
  });
})();
