/* Keeps '3 minutes ago' true on a page that stays open. The rule is that of hub/web/filters.py: London's days, not 24 hours. */

const MINUTE = 60; const HOUR = 3600
const LONDON_DAY = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London', year: 'numeric', month: '2-digit', day: '2-digit' })
const LONDON_CLOCK = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London', hour: 'numeric', minute: '2-digit', hourCycle: 'h23' })

/** The server's clock as it runs on from when the page was made: a reader's own clock may be wrong. */
const madeAt = Date.parse(document.body.dataset.serverNow) || Date.now()
const openedAt = Date.now()
export const serverNow = () => new Date(madeAt + (Date.now() - openedAt))

/** '9:12am', '11am', 'midday' */
export function clock (moment) {
  const [hour, minute] = LONDON_CLOCK.format(moment).split(':').map(Number)
  if (hour === 12 && minute === 0) return 'midday'
  return `${hour % 12 || 12}${minute ? ':' + String(minute).padStart(2, '0') : ''}${hour < 12 ? 'am' : 'pm'}`
}

const spoken = (number, unit, ahead) => {
  const counted = `${number} ${unit}${number === 1 ? '' : 's'}`
  return ahead ? `in ${counted}` : `${counted} ago`
}

const londonDay = (moment) => LONDON_DAY.format(moment)

function byCalendar (day, today) {
  const days = Math.round((Date.parse(day) - Date.parse(today)) / 86400000)
  if (days === 0) return 'today'
  if (Math.abs(days) === 1) return days > 0 ? 'tomorrow' : 'yesterday'
  const far = Math.abs(days); const ahead = days > 0
  if (far < 14) return spoken(far, 'day', ahead)
  if (far < 61) return spoken(Math.floor(far / 7), 'week', ahead)
  if (far < 730) return spoken(Math.round(far / 30.44), 'month', ahead)
  return spoken(Math.round(far / 365.25), 'year', ahead)
}

export function relativeTime (text, now) {
  if (!text.includes('T')) return byCalendar(text, londonDay(now))
  const moment = new Date(text)
  const difference = Math.trunc((moment - now) / 1000)
  const ahead = difference > 0; const seconds = Math.abs(difference)
  if (seconds < MINUTE) return ahead ? 'in less than a minute' : 'just now'
  if (seconds < HOUR) return spoken(Math.floor(seconds / MINUTE), 'minute', ahead)
  if (londonDay(moment) === londonDay(now) || seconds < 6 * HOUR) return spoken(Math.floor(seconds / HOUR), 'hour', ahead)
  return byCalendar(londonDay(moment), londonDay(now))
}

function refresh () {
  const now = serverNow()
  for (const element of document.querySelectorAll('time[data-relative][datetime]')) {
    const words = relativeTime(element.dateTime, now)
    if (element.textContent !== words) element.textContent = words
  }
}

export function startTimes () {
  setInterval(refresh, 30000)
  document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh() })
  addEventListener('beforeprint', () => {
    for (const element of document.querySelectorAll('[data-printed-at]')) element.textContent = `Printed at ${clock(serverNow())}.`
  })
}
