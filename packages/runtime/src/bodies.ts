const encoder = new TextEncoder();

export function encode(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of these bytes, or undefined when they are not UTF-8. A byte order mark stays, so that nothing is lost. */
export function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

export function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}

/**
 * Whether a body of this type is handed over as text. The same types as an AWS HTTP API takes for text, so that a handler
 * that works here works there; a form (`application/x-www-form-urlencoded`) is not among them. No type: text where it is UTF-8.
 */
export function isTextType(contentType: string | undefined): boolean {
  if (contentType === undefined || contentType === '') return true;
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase();
  return /^text\/|^application\/(json|javascript|xml)$|\+(json|xml)$/.test(type);
}

export function isJsonType(contentType: string | undefined | null): boolean {
  return /^application\/(.+\+)?json\s*(;|$)/i.test(contentType ?? '');
}
