/* Saves what is being written: POST /drafts/<key>, 2 seconds after the last change and when the page is left. Nothing is kept in
   the browser itself: a shared computer must not remember. */

import { clock, serverNow } from './time.js'
import { tell } from './session_news.js'

const PAUSE = 2000
const RETRY = 15000
const NOT_KEPT = new Set(['csrf_token', 'form_key', 'revision', 'back'])
const drafts = new Set()

class Draft {
  constructor (form) {
    this.form = form
    this.status = form.querySelector('[data-draft-status]')
    this.saved = this.text()
    this.failed = false
    for (const kind of ['input', 'change']) form.addEventListener(kind, () => { this.byHand = true; this.changed() })
    form.addEventListener('submit', () => { this.stopped = true; clearTimeout(this.timer) })
  }

  text () {
    const kept = new URLSearchParams()
    for (const [name, value] of new FormData(this.form)) {
      const secret = this.form.elements[name]?.type === 'password'
      if (typeof value === 'string' && !NOT_KEPT.has(name) && !secret) kept.append(name, value)
    }
    return kept.toString()
  }

  changed () {
    // after a submission that came to nothing the form is let go (forms.js), and saving begins again
    if (this.form.dataset.sent === undefined) this.stopped = false
    this.later()
  }

  later (pause = PAUSE) {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.save(), pause)
  }

  get unsaved () { return !this.stopped && this.text() !== this.saved }

  async save (leaving = false) {
    if (this.stopped || this.saving) return
    const text = this.text()
    if (text === this.saved) return
    this.saving = true
    // what follows somebody's typing keeps the session; what the page does by itself must not
    const byHand = this.byHand && !leaving
    this.byHand = false
    try {
      const answer = await this.send(text, leaving, byHand)
      if (!answer.ok) throw answer
      this.saved = text
      this.say(`Saved as a draft at ${clock(serverNow())}`)
      if (byHand) tell((await answer.json()).expires_at)
    } catch (problem) {
      await this.explain(problem, text)
    } finally {
      this.saving = false
    }
    if (!this.failed && this.unsaved) this.later()
  }

  /* Signed out meanwhile: the server may have kept it all the same, for whoever signs in again */
  async explain (problem, text) {
    const signedOut = problem.type === 'opaqueredirect' || [400, 401, 403].includes(problem.status)
    const kept = problem.status === 401 && (await problem.json().catch(() => ({}))).kept
    if (kept) {
      this.saved = text
      return this.say('You are signed out. What you wrote is kept as a draft: sign in again to carry on.')
    }
    this.say(signedOut ? 'Not saved: you are signed out. Copy what you wrote before you leave this page.' : 'Not saved yet. What you wrote is still on this page; we keep trying.', true)
    if (!signedOut) this.later(RETRY)
  }

  send (text, leaving, byHand) {
    // a browser sends at most 64 KiB from a page that is being left: longer texts go the ordinary way
    const keepalive = leaving && text.length < 60000
    return fetch(`/drafts/${encodeURIComponent(this.form.dataset.draftKey)}`, {
      method: 'POST',
      body: text,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-CSRF-Token': this.form.elements.csrf_token.value, ...(byHand ? {} : { 'X-By-Itself': '1' }) },
      credentials: 'same-origin',
      redirect: 'manual',
      keepalive
    })
  }

  say (words, failed = false) {
    this.failed = failed
    if (!this.status) return
    this.status.textContent = words
    this.status.classList.toggle('hub-draft-status--failed', failed)
  }
}

/** Everything unsaved, at once: before the session ends. */
export const saveDrafts = () => Promise.all([...drafts].map((draft) => draft.save()))

export function startDrafts (scope) {
  for (const form of scope.querySelectorAll('form[data-draft-key]')) drafts.add(new Draft(form))
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) for (const draft of drafts) draft.save(true)
})
// Asked only where leaving would lose something that could not be saved
addEventListener('beforeunload', (event) => {
  if ([...drafts].some((draft) => draft.failed && draft.unsaved)) event.preventDefault()
})
