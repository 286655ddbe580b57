import type { Duplex } from 'node:stream';
import { errnoOf } from '../refusal.js';
import { problemText } from './answer.js';

const UNREADABLE: Readonly<Record<string, readonly [line: string, text: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'address and headers are larger than 16 KB'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not come in time'],
};

/** What is no HTTP, too large or too slow: answered where somebody still reads, and cut off. */
export function unreadable(error: Error, socket: Duplex): void {
  // An answer that was begun would be taken for whole with this one behind it.
  const { _httpMessage: begun } = socket as { _httpMessage?: { readonly headersSent: boolean } | null };
  if (!socket.writable || errnoOf(error) === 'ECONNRESET' || begun?.headersSent) {
    socket.destroy();
    return;
  }
  const [line, text] = UNREADABLE[errnoOf(error) ?? ''] ?? ['400 Bad Request', 'it is not valid HTTP'];
  const body = problemText('SFX6119', text);
  const length = Buffer.byteLength(body);
  socket.end(
    `HTTP/1.1 ${line}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`,
  );
}
