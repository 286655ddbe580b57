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
  /** Its id, where the sender has one: sending it again while it is there, or within five minutes after, keeps one. */
  readonly id?: string;
  /** Keeps it although one with its id was there within the last five minutes. */
  readonly again?: boolean;
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

/** A message as it lies in the queue. */
export interface Peeked {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  /** How often it was handed out. */
  readonly attempts: number;
  readonly state: 'visible' | 'delayed' | 'in flight';
}

export interface QueueCounts {
  readonly visible: number;
  readonly delayed: number;
  readonly inFlight: number;
}

/** Messages on disk, at least once. What `send` and `ack` answered holds also after `kill -9`. */
export interface Queue {
  readonly name: string;
  /**
   * Resolves with their ids once they are on disk; all of them or none. Throws SFX6004 (the disk is full), SFX6012 (a
   * message is too large), SFX6013 (the queue is full).
   */
  send(messages: readonly NewMessage[]): Promise<readonly string[]>;
  /**
   * The oldest first, 6 MB of them at most. One that was handed out `aloneAfter` times or more comes alone; default: never. Messages that are
   * handed out when the daemon ends can be received when it is back.
   */
  receive(max: number, visibilityMs: number, aloneAfter?: number): readonly Received[];
  /** A receipt that is not current any more is ignored: another try has the message. Resolves once it is on disk. */
  ack(receipts: readonly string[]): Promise<void>;
  /** Can be received again after `delayMs`. Not counted: the handing out is as if it had not been. */
  release(receipts: readonly string[], delayMs: number, counted?: boolean): void;
  /** Milliseconds until there is something to receive; undefined while it is empty or all is handed out without an end. */
  waitMs(): number | undefined;
  /** Called whenever something may have become visible earlier than `waitMs` said. Answers how to end that. */
  onMore(listener: () => void): () => void;
  counts(): QueueCounts;
  /** The oldest first, without handing them out. */
  peek(max: number): readonly Peeked[];
  /** Takes away all that is not handed out; answers how many. */
  purge(): Promise<number>;
  close(): Promise<void>;
}

export interface QueueOptions {
  readonly dir: string;
  readonly name: string;
  /** The clock of the machine, milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds by a clock that nobody sets; default that of the process. */
  readonly clock?: () => number;
  /** Takes what a person has to know; default: standard error, which is the engine's log. */
  readonly log?: (text: string) => void;
  /** Bytes of a body and its attributes; default 256 KB. */
  readonly messageBytes?: number;
  /** Default 200,000: what is known of each stays in memory. */
  readonly mostMessages?: number;
  /** Bytes on disk of all that wait; default 1 GB. */
  readonly mostBytes?: number;
  /** Bytes of records that are over, below which the journal is not written anew; default 1 MB. */
  readonly rewriteBytes?: number;
}
