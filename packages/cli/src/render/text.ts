import { type Look, paint } from './look.js';

/** Lines are made for this many columns. */
export const WIDTH = 80;
/** Times end at this column. */
const TIME_END = 72;

const SGR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Columns that a text takes, colours not counted. */
export function width(text: string): number {
  return text.replace(SGR, '').length;
}

export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - width(text))) + text;
}

/** `1 write`, `2 writes`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

export function seconds(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes} min ${Math.round((ms - minutes * 60_000) / 1000)} s`;
}

/** How long ago, in the largest unit that fits: `now`, `40 s`, `6 min`, `3 h`, `2 days`. */
export function age(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 2) return 'now';
  if (s < 90) return `${s} s`;
  if (s < 90 * 60) return `${Math.round(s / 60)} min`;
  if (s < 36 * 3600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86_400)} days`;
}

/** A line with its time at the right; a time too short to matter is left out. */
export function timed(text: string, ms: number, look: Look): string {
  if (ms < 50) return text;
  const time = seconds(ms);
  const room = TIME_END - width(time);
  return `${pad(text, Math.max(width(text) + 2, room))}${paint(look, 'dim', time)}`;
}

/** Breaks at spaces; a word longer than the room stays whole, so that it can be copied. */
export function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}

/** Cuts what is too long for a line, such as the subject of a commit; colours before the cut stay closed. */
export function clip(text: string, room = WIDTH): string {
  if (width(text) <= room) return text;
  let seen = 0;
  let out = '';
  for (const part of text.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith('\u001b')) out += part;
    else if (seen < room - 1) {
      out += part.slice(0, room - 1 - seen);
      seen += part.length;
    }
  }
  return `${out}…`;
}

/** A text after its label, further lines below the text. */
export function labelled(label: string, text: string, at: number, indent = 0): string[] {
  const head = `${' '.repeat(indent)}${pad(label, at - indent)}`;
  return wrap(text, WIDTH - at).map((line, index) => (index === 0 ? head : ' '.repeat(at)) + line);
}

export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 7);
}

/** A version as people see it: without the name of its unit, which stands beside it, and no longer than a short digest. */
export function shortVersion(unit: string, id: string): string {
  const own = id.startsWith(`${unit}@`) ? id.slice(unit.length + 1) : id;
  return /^[0-9a-f]{8,}$/.test(own) ? own.slice(0, 7) : own;
}

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** Rows in columns two spaces apart; the last cell is not padded. */
export function columns(rows: readonly (readonly string[])[], gap = 2): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : pad(cell, widths[index]! + gap)))
      .join('')
      .trimEnd(),
  );
}

/** Control characters of others (a log line, an answer) could rewrite the screen: they are shown, not obeyed. */
export function harmless(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (char) => {
    const code = char.codePointAt(0)!;
    return `\\x${code.toString(16).padStart(2, '0')}`;
  });
}
