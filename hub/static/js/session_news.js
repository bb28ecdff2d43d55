/* Word from the server of how long the session goes on now: drafts hear it, the warning acts on it. */

const hearers = []

export const hear = (hearer) => hearers.push(hearer)

export function tell (expires) {
  const until = Date.parse(expires)
  if (until) for (const hearer of hearers) hearer(until)
}
