// Copying what stands in a text field.

/** Put a field's text on the clipboard; false where that is not allowed, and it is only selected. */
export async function copy(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch { // only pages on https and loopback may; anybody may copy what is selected
    field.select();
    return document.execCommand('copy');
  }
}
