/* Saves what is being written: POST /drafts/<key>, 2 seconds after the last change and when the page is left. Nothing is kept in
   the browser itself: a shared computer must not remember. */

import { clock, serverNow } from './time.js'

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
    form.addEventListener('input', () => this.changed())
    form.addEventListener('change', () => this.changed())
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
    try {
      const answer = await this.send(text, leaving)
      if (!answer.ok) throw answer
      this.saved = text
      this.say(`Saved as a draft at ${clock(serverNow())}`)
    } catch (problem) {
      const signedOut = problem.type === 'opaqueredirect' || problem.status === 401 || problem.status === 403
      this.say(signedOut ? 'Not saved: you are signed out. Copy what you wrote before you leave this page.' : 'Not saved yet. What you wrote is still on this page; we keep trying.', true)
      if (!signedOut) this.later(RETRY)
    } finally {
      this.saving = false
    }
    if (!this.failed && this.unsaved) this.later()
  }

  send (text, leaving) {
    // a browser sends at most 64 KiB from a page that is being left: longer texts go the ordinary way
    const keepalive = leaving && text.length < 60000
    return fetch(`/drafts/${encodeURIComponent(this.form.dataset.draftKey)}`, {
      method: 'POST',
      body: text,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-CSRF-Token': this.form.elements.csrf_token.value },
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
