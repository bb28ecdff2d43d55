/* Several files, chosen or dropped, each sent by itself: how far it has come, what came of it, cancelling and trying again. The form is
   the ordinary one and goes without this too; each file goes with a key of its own, so that sending it again adds nothing twice. */

const CUT = 'The connection was cut. Nothing of this file was lost: try again.'

function newKey () {
  if (crypto.randomUUID) return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 15) | 64
  bytes[8] = (bytes[8] & 63) | 128
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [[0, 8], [8, 12], [12, 16], [16, 20], [20, 32]].map(([from, to]) => hex.slice(from, to)).join('-')
}

function made (name, classes, text = '') {
  const element = document.createElement(name)
  element.className = classes
  element.textContent = text
  return element
}

/** One file of the queue. States: ready, sending, kept, failed, refused. */
class Item {
  constructor (queue, file, number) {
    this.queue = queue
    this.file = file
    this.key = newKey()
    this.row = made('li', 'hub-queue__item')
    this.words = made('p', 'hub-queue__state')
    this.bar = document.createElement('progress')
    this.bar.max = 100
    this.bar.setAttribute('aria-label', `${file.name}: how much of it is sent`)
    this.button = made('button', 'hub-link-button')
    this.button.type = 'button'
    this.button.addEventListener('click', () => this.press())
    this.row.append(made('span', 'hub-queue__name', file.name), this.button, this.bar, this.words)
    this.row.id = `queued-${number}`
    this.be('ready', 'Ready to attach')
  }

  be (state, words) {
    this.state = state
    this.words.textContent = words
    this.bar.hidden = state !== 'sending'
    this.row.classList.toggle('hub-queue__item--failed', state === 'failed' || state === 'refused')
    const label = { ready: 'Remove', refused: 'Remove', sending: 'Cancel', failed: 'Try again', kept: '' }[state]
    this.button.hidden = !label
    this.button.replaceChildren(label, made('span', 'govuk-visually-hidden', ` ${this.file.name}`))
  }

  press () {
    if (this.state === 'sending') return this.request.abort()
    if (this.state === 'failed') return this.queue.start([this])
    this.queue.remove(this)
  }

  send () {
    return new Promise((resolve) => {
      const form = this.queue.form
      const data = new FormData(form)
      data.delete(this.queue.input.name)
      data.set('form_key', this.key)
      data.set('alone', '1')
      data.append(this.queue.input.name, this.file)
      this.request = new XMLHttpRequest()
      this.request.open('POST', form.action)
      this.request.responseType = 'json'
      this.request.setRequestHeader('Accept', 'application/json')
      this.request.upload.addEventListener('progress', (event) => this.progress(event))
      this.request.addEventListener('load', () => resolve(this.answered()))
      this.request.addEventListener('error', () => resolve(this.be('failed', CUT)))
      this.request.addEventListener('abort', () => resolve(this.be('failed', 'Cancelled. It was not attached.')))
      this.be('sending', 'Sending')
      this.request.send(data)
    })
  }

  progress (event) {
    const percent = event.lengthComputable ? Math.floor(100 * event.loaded / event.total) : 0
    this.bar.value = percent
    this.words.textContent = percent < 100 ? `Sending, ${percent}%` : 'Sent. Encrypting and checking it'
  }

  answered () {
    const told = this.request.response
    const one = told?.files?.[0]
    if (one?.id) {
      this.id = one.id
      return this.be('kept', 'Attached')
    }
    if (this.request.status === 401) return this.be('failed', 'You are signed out. Sign in in another window, then try again.')
    const why = one?.why || Object.values(told?.errors || {}).join('. ')
    if (why) return this.be('refused', `Not attached: ${why}`)
    // what went before may have been kept: the key makes a second try harmless
    this.be('failed', `Not attached (error ${this.request.status}). Try again.`)
  }
}

class Queue {
  constructor (form) {
    this.form = form
    this.input = form.querySelector('input[type=file]')
    this.drop = form.querySelector('[data-drop]')
    this.list = form.querySelector('[data-queue]')
    this.status = form.querySelector('[data-queue-status]')
    this.items = []
    this.number = 0
    this.drop.dataset.dropReady = ''
    this.drop.querySelector('[data-drop-words]').hidden = false
    this.input.addEventListener('change', () => {
      this.add(this.input.files)
      this.input.value = ''
    })
    for (const name of ['dragenter', 'dragover']) this.drop.addEventListener(name, (event) => this.over(event, true))
    for (const name of ['dragleave', 'drop']) this.drop.addEventListener(name, (event) => this.over(event, false))
    this.drop.addEventListener('drop', (event) => this.add(event.dataTransfer.files))
    form.addEventListener('submit', (event) => this.submit(event))
    window.addEventListener('beforeunload', (event) => { if (this.busy()) event.preventDefault() })
  }

  over (event, inside) {
    event.preventDefault()
    this.drop.toggleAttribute('data-drop-over', inside)
  }

  busy () {
    return !this.left && this.items.some((item) => item.state === 'sending' || item.state === 'ready')
  }

  add (files) {
    for (const file of files) {
      const item = new Item(this, file, ++this.number)
      if (file.size > Number(this.input.dataset.maxBytes)) {
        item.be('refused', `Not attached: the file must be ${this.input.dataset.maxWords} or smaller`)
      }
      this.items.push(item)
      this.list.append(item.row)
    }
    const ready = this.items.filter((item) => item.state === 'ready').length
    this.say(ready === 1 ? '1 file is ready to attach' : `${ready} files are ready to attach`)
  }

  remove (item) {
    this.items.splice(this.items.indexOf(item), 1)
    item.row.remove()
    this.say(`${item.file.name} was taken out`)
    this.input.focus()
  }

  say (words) {
    this.status.textContent = words
  }

  submit (event) {
    event.preventDefault()
    event.stopImmediatePropagation()
    if (!this.items.some((item) => item.state === 'ready' || item.state === 'failed')) return this.ask(this.input, 'Choose a file first')
    const kind = this.form.elements.kind
    if (!kind.value) return this.ask(kind, 'Select what kind of file it is first')
    this.start(this.items.filter((item) => item.state === 'ready' || item.state === 'failed'))
  }

  ask (field, words) {
    this.say(words)
    field.focus()
  }

  async start (items) {
    if (this.sending) return
    this.sending = true
    for (const item of items) {
      if (!this.items.includes(item)) continue
      await item.send()
      this.say(`${item.file.name}: ${item.words.textContent}`)
    }
    this.sending = false
    this.end()
  }

  end () {
    const kept = this.items.filter((item) => item.state === 'kept')
    const address = `${this.form.getAttribute('action')}?added=${kept.map((item) => item.id).join(',')}`
    if (kept.length === this.items.length) {
      this.left = true
      this.form.dataset.sent = ''
      return location.assign(address)
    }
    const link = made('a', 'govuk-link', 'Show the files')
    link.href = address
    this.say(`${kept.length} of ${this.items.length} files are attached. `)
    if (kept.length) this.status.append(link)
  }
}

export function startQueues (scope) {
  for (const form of scope.querySelectorAll('form[data-upload-many]')) new Queue(form) // eslint-disable-line no-new
}
