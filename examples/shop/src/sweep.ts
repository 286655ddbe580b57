/** What a schedule sends, in the shape that EventBridge gives it. */
interface ScheduledEvent {
  readonly time?: string;
}

export async function run(event: ScheduledEvent) {
  const due = event.time ?? new Date().toISOString();
  console.log(`swept what was due at ${due}`);
  return { swept: true, due };
}
