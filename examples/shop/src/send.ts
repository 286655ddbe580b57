/** Puts a message on a queue of this service and stage. What it answers to is on disk. */
export async function send(queue: string, message: unknown): Promise<void> {
  const events = process.env['SFX_EVENTS_URL'];
  if (events === undefined) throw new Error('there is no SFX_EVENTS_URL here to send messages to');
  const answer = await fetch(`${events}/queues/${queue}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(message),
  });
  if (!answer.ok) throw new Error(`queue ${queue} answered ${answer.status}: ${await answer.text()}`);
}
