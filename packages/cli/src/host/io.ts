/** One stream that text goes to. */
export interface Out {
  write(text: string): void;
  readonly terminal: boolean;
  /** Columns of the terminal; 80 when it does not say. */
  readonly columns: number;
  /** Its reader went away: what is written from now on goes nowhere. */
  readonly closed: boolean;
}

/** The process as the CLI sees it; a test passes its own. */
export interface Io {
  readonly stdout: Out;
  readonly stderr: Out;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  /** Both sides of a question are a terminal. */
  readonly canAsk: boolean;
  ask(question: string): Promise<string>;
  /** All of standard input, for `invoke --path -`. */
  readInput(): Promise<string>;
  now(): number;
  /** Calls `act` every `ms` until the returned function is called. Keeps no process alive. */
  every(ms: number, act: () => void): () => void;
}
