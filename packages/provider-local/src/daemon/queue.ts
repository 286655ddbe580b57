/** A message that is to be kept. */
export interface NewMessage {
  readonly body: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Milliseconds until it can be received; default 0. */
  readonly delayMs?: number;
  /** Calls of functions that led to it. */
  readonly depth?: number;
  /** `traceparent` of the call that sent it. */
  readonly trace?: string;
  /** Its id, where the sender has one; sending the same twice keeps one. */
  readonly id?: string;
}

/** A message that was handed out, and is hidden from others until it is acknowledged, released, or its time is over. */
export interface Received {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  /** How often it was handed out, this time included. */
  readonly attempt: number;
  readonly depth: number;
  readonly trace?: string;
  /** Names this handing out. */
  readonly receipt: string;
}

export interface QueueCounts {
  readonly visible: number;
  readonly delayed: number;
  readonly inFlight: number;
}

/** Messages on disk, at least once. What `send` and `ack` answered holds also after `kill -9`. */
export interface Queue {
  readonly name: string;
  /** Resolves with their ids once they are on disk. Throws SFX6004 when the disk is full. */
  send(messages: readonly NewMessage[]): Promise<readonly string[]>;
  receive(max: number, visibilityMs: number): readonly Received[];
  /** A receipt that is not current any more is ignored: another try has the message. Resolves once it is on disk. */
  ack(receipts: readonly string[]): Promise<void>;
  /** Visible again after `delayMs`. */
  release(receipts: readonly string[], delayMs: number): void;
  /** Milliseconds until there is something to receive; undefined while it is empty or all is handed out without an end. */
  waitMs(): number | undefined;
  /** Called whenever something may have become visible earlier than `waitMs` said. Answers how to end that. */
  onMore(listener: () => void): () => void;
  counts(): QueueCounts;
  close(): Promise<void>;
}
