// What was looked at stays in the address: a redirect keeps the fragment of what was asked for.

document.querySelector('form').action += location.hash;
