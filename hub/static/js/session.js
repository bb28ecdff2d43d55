/* Warns 2 minutes before an idle session ends, and lets it go on with one key. The end itself is the server's. */

import { saveDrafts } from './drafts.js'
import { forgetPlace, keepPlace } from './place.js'
import { hear } from './session_news.js'
import { serverNow } from './time.js'

const WARN = 120000
const SAVE = 8000
const tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('hub-session') : null

const inWords = (left) => {
  const seconds = Math.max(0, Math.round(left / 1000))
  if (seconds > 90) return '2 minutes'
  if (seconds > 60) return 'a minute and a half'
  return seconds === 1 ? '1 second' : `${seconds} seconds`
}

class Session {
  constructor (dialog, expires) {
    this.dialog = dialog
    this.left = dialog.querySelector('[data-session-left]')
    this.status = dialog.querySelector('[data-session-status]')
    this.form = dialog.querySelector('[data-session-stay]')
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.stay() })
    // Escape answers as the button does: nobody dismisses the warning and is then signed out
    dialog.addEventListener('cancel', (event) => { event.preventDefault(); this.stay() })
    this.failure = dialog.querySelector('[data-session-failure]')
    const left = expires - serverNow()
    this.goOnFor(left)
    setInterval(() => this.look(), 1000)
    tabs?.addEventListener('message', (event) => this.goOnFor(event.data.milliseconds))
    tabs?.postMessage({ milliseconds: left })
    hear((until) => this.hear(until - serverNow()))
  }

  /* What was typed has kept the session: no warning is due, here and in the other tabs */
  hear (left) {
    if (left <= WARN) return
    this.goOnFor(left)
    tabs?.postMessage({ milliseconds: left })
  }

  goOnFor (milliseconds) {
    this.end = Date.now() + milliseconds
    this.said = this.saved = false
    if (!this.dialog.open) return
    this.dialog.close()
    forgetPlace()
  }

  look () {
    const left = this.end - Date.now()
    if (left > WARN) return
    if (left <= 0) return this.leave()
    this.left.textContent = inWords(left)
    if (!this.dialog.open && !this.last) {
      keepPlace()
      this.dialog.showModal()
    }
    if (left < 60000 && !this.said) {
      this.said = true
      this.status.textContent = 'You will be signed out in 1 minute.'
    }
    if (left < SAVE && !this.saved) {
      this.saved = true
      saveDrafts()
    }
  }

  async stay () {
    if (this.last) return this.dialog.close()
    try {
      const answer = await fetch(this.form.action, { method: 'POST', body: new URLSearchParams(new FormData(this.form)), headers: { 'X-CSRF-Token': this.form.elements.csrf_token.value }, credentials: 'same-origin', redirect: 'manual' })
      if (!answer.ok) throw new Error(String(answer.status))
      const { expires_at: expires } = await answer.json()
      const left = Date.parse(expires) - serverNow()
      if (left <= WARN) return this.sayLast()
      this.goOnFor(left)
      tabs?.postMessage({ milliseconds: left })
    } catch {
      this.status.textContent = this.failure.textContent = 'That did not work. Try again.'
    }
  }

  /* A session also has a longest life: then staying is not on offer, only time to finish */
  sayLast () {
    this.last = true
    this.failure.textContent = 'You have been signed in for as long as is allowed. Finish what you are doing, then sign in again.'
    this.form.querySelector('button').textContent = 'Close this message'
  }

  leave () {
    if (!this.dialog.open) keepPlace()
    // what is on the screen must not outlive the session
    location.replace(`${document.body.dataset.signIn}?kept=1&next=${encodeURIComponent(location.pathname + location.search)}`)
  }
}

export function startSession () {
  const dialog = document.getElementById('session-warning')
  const expires = Date.parse(document.body.dataset.sessionExpires)
  if (dialog && expires) return new Session(dialog, expires)
}
