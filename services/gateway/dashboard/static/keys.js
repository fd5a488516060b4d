/* Keys of a provider: their shape is told at once, as they are typed; the server has the last word. */
(() => {
  'use strict';
  const { $, $$, on, icon, el, say } = window.showbill;
  const SHAPE = { secret: /^(sk|rk)_(test|live)_[A-Za-z0-9]{8,}$/, publishable: /^pk_(test|live)_[A-Za-z0-9]{8,}$/ };
  const modeOf = v => (v.trim().match(/^[srp]k_(test|live)_/) || [])[1];
  function keyFault(input) {
    const v = input.value.trim(), kind = input.dataset.keyInput, form = input.form;
    const other = $(`[data-key-input]:not([data-key-input=${kind}])`, form), mode = modeOf(v), theirs = modeOf(other.value);
    if (!v) return '';
    if (kind === 'secret' && v.startsWith('pk_')) return 'That is a publishable key. The secret key starts with rk_ or sk_.';
    if (kind === 'publishable' && /^[sr]k_/.test(v)) return 'That is a secret key. Paste it in the field above.';
    if (!SHAPE[kind].test(v)) return v.length > 14 || document.activeElement !== input ? `This does not look like a ${kind} key. Copy it again from Stripe.` : '';
    if (kind === 'publishable' && theirs && mode !== theirs) return `This is a ${mode} key but the secret key is a ${theirs} key. Use two keys from the same mode.`;
    return '';
  }
  function tell(input, bad, good) {
    const msg = document.getElementById(input.id + '-m'); input.setAttribute('aria-invalid', bad ? 'true' : 'false');
    msg.className = 'msg ' + (bad ? 'msg-error' : 'msg-ok'); msg.replaceChildren(...(bad || good ? [icon(bad ? 'circle-alert' : 'check'), el('span', '', bad || good)] : []));
  }
  /* A secret that was pasted into a field that is read by everybody is not read there. */
  function mask(input) { if (input.dataset.keyInput === 'publishable') input.type = /[sr]k_|whsec_/.test(input.value) ? 'password' : 'text'; }
  function checkKey(input) {
    mask(input); const v = input.value.trim(), bad = keyFault(input), mode = modeOf(v), slot = $(`[data-mode-for=${input.id}]`);
    const good = !bad && input.dataset.keyInput === 'secret' && SHAPE.secret.test(v) ? (v.startsWith('rk_') ? 'Restricted key. Good choice.' : 'Full-access key. It works, but a restricted key is safer.') : '';
    tell(input, bad, good);
    if (slot) { const b = el('span', 'badge', icon(mode === 'live' ? 'radio' : 'zap'), mode === 'live' ? 'Live mode' : 'Test mode'); b.dataset.s = mode === 'live' ? 'livemode' : 'test'; slot.replaceChildren(...(mode ? [b] : [])); }
    return !bad;
  }
  /* Both keys look right: what they may do is asked at once, and shown in the list beside. Nothing is kept by it. */
  let asking = 0, asked = '';
  function ask(form) {
    const keys = $$('[data-key-input]', form).map(i => i.value.trim()), told = keys.join(' ');
    clearTimeout(asking); if (!$('#doctor') || !form.dataset.check || told === asked || $$('[data-key-input]', form).some(i => !SHAPE[i.dataset.keyInput].test(i.value.trim()) || keyFault(i))) return;
    asking = setTimeout(() => { asked = told; htmx.ajax('POST', form.dataset.check, { source: '#doctor', target: '#doctor', swap: 'innerHTML', values: Object.fromEntries(new FormData(form)) }); }, 500);
  }
  on('input', e => { if (e.target.matches('[data-key-input]')) ask(e.target.form); });
  on('input', e => { if (e.target.matches('[data-key-input]')) $$('[data-key-input]', e.target.form).forEach(i => (i === e.target || i.value) && checkKey(i)); });
  on('focusout', e => { if (e.target.matches?.('[data-key-input]') && e.target.value) checkKey(e.target); });
  /* Before app.js hears of it, which else would say that the form is on its way. */
  on('htmx:before:request', e => {
    const form = e.target; if (!form.matches?.('[data-stripe-form]')) return;
    const wrong = $$('[data-key-input]', form).filter(i => { const good = checkKey(i); if (!i.value.trim()) tell(i, 'Paste the key from Stripe.'); return !good || !i.value.trim(); });
    if (wrong.length) { e.preventDefault(); wrong[0].focus(); return; }
    clearTimeout(asking); say('Checking the keys with Stripe');
  }, true);
  on('DOMContentLoaded', () => $$('[data-key-input]').forEach(i => i.value && i.getAttribute('aria-invalid') !== 'true' && checkKey(i)));
})();
