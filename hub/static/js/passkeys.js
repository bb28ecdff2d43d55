/* Passkeys: asks the server for a challenge, the browser for an answer, and brings it back. The offer is shown only where the
   browser can answer it; everything else about signing in works without. */

const WRONG = 'That did not work. Reload the page and try again.'
const STOPPED = 'Nothing was done: the browser was stopped, or found no passkey that fits. Try again.'
const KNOWN = 'This device or key has a passkey for your account already.'

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0))
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
const withIds = (list) => (list ?? []).map((one) => ({ ...one, id: toBytes(one.id) }))

class Refused extends Error {}

function readNew (options) {
  return { ...options, challenge: toBytes(options.challenge), user: { ...options.user, id: toBytes(options.user.id) }, excludeCredentials: withIds(options.excludeCredentials) }
}

function readProof (options) {
  return { ...options, challenge: toBytes(options.challenge), allowCredentials: withIds(options.allowCredentials) }
}

/* What a passkey's answer holds, as the server reads it */
function write (credential) {
  const response = { clientDataJSON: toText(credential.response.clientDataJSON) }
  for (const part of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (credential.response[part]) response[part] = toText(credential.response[part])
  }
  return JSON.stringify({ id: credential.id, rawId: toText(credential.rawId), type: credential.type, response })
}

class Offer {
  constructor (root) {
    this.root = root
    this.data = root.dataset
    this.makes = 'passkeyNew' in this.data
    this.button = root.querySelector('[data-passkey-button]')
    this.failure = root.querySelector('[data-passkey-failure]')
    if (this.makes) root.querySelector('form').addEventListener('submit', (event) => { event.preventDefault(); this.start() })
    else this.button.addEventListener('click', () => this.start())
    root.querySelector('[data-passkey-offer]').hidden = false
  }

  async start () {
    if (this.button.getAttribute('aria-disabled')) return
    this.button.setAttribute('aria-disabled', 'true')
    this.failure.textContent = ''
    try {
      const { address } = await this.go()
      location.assign(address)
    } catch (error) {
      this.say(error)
      this.button.removeAttribute('aria-disabled')
    }
  }

  async go () {
    const options = await this.ask(this.data.begin, { next: this.data.next })
    const credential = this.makes
      ? await navigator.credentials.create({ publicKey: readNew(options) })
      : await navigator.credentials.get({ publicKey: readProof(options) })
    return this.ask(this.data.finish, { credential: write(credential) })
  }

  async ask (address, values) {
    const label = this.root.querySelector('[name="label"]')
    const body = new URLSearchParams(Object.entries({ ...values, label: label?.value }).filter(([, value]) => value !== undefined))
    const answer = await fetch(address, { method: 'POST', body, headers: { 'X-CSRF-Token': this.data.csrf, Accept: 'application/json' }, credentials: 'same-origin', redirect: 'manual' })
    // the proof of who it is has grown old: once more, then back here
    if (answer.type === 'opaqueredirect' && this.data.confirm) location.assign(this.data.confirm)
    const told = answer.headers.get('Content-Type')?.startsWith('application/json') ? await answer.json() : {}
    if (!answer.ok) throw new Refused(Object.values(told.errors ?? {})[0] ?? told.message ?? WRONG)
    return told
  }

  say (error) {
    if (error instanceof Refused) this.failure.textContent = error.message
    else if (error.name === 'InvalidStateError') this.failure.textContent = KNOWN
    else if (error.name === 'NotAllowedError' || error.name === 'AbortError') this.failure.textContent = STOPPED
    else this.failure.textContent = WRONG
  }
}

export function startPasskeys () {
  for (const root of document.querySelectorAll('[data-passkey]')) {
    const show = (name) => { const part = root.querySelector(`[data-passkey-${name}]`); if (part) part.hidden = false }
    if (location.origin !== root.dataset.origin) show('elsewhere')
    else if (!globalThis.PublicKeyCredential || !navigator.credentials) show('unable')
    else new Offer(root) // eslint-disable-line no-new
  }
}
