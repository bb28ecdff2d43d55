/* Shows how far a file has gone. The form is the ordinary one; its answer, whether a new page or the same with errors, is shown as
   the browser would have shown it. */

function tooLarge (form) {
  for (const input of form.querySelectorAll('input[type=file][data-max-bytes]')) {
    for (const file of input.files) if (file.size > Number(input.dataset.maxBytes)) return `${file.name} is too large. Choose a smaller file.`
  }
  return ''
}

class Upload {
  constructor (form, startWithin) {
    this.form = form
    this.startWithin = startWithin
    this.box = form.querySelector('[data-upload-progress]')
    this.bar = this.box?.querySelector('progress')
    this.words = this.box?.querySelector('[data-upload-words]')
    this.status = this.box?.querySelector('[data-upload-status]')
    if (this.box) form.addEventListener('submit', (event) => this.submit(event))
  }

  submit (event) {
    if (event.defaultPrevented) return
    event.preventDefault()
    const problem = tooLarge(this.form)
    if (problem) return this.fail(problem)
    const request = new XMLHttpRequest()
    request.open('POST', this.form.action)
    request.setRequestHeader('X-CSRF-Token', this.form.elements.csrf_token.value)
    request.upload.addEventListener('progress', (progress) => this.show(progress))
    request.addEventListener('load', () => this.done(request))
    request.addEventListener('error', () => this.fail('The file did not arrive: the connection was cut. Nothing was saved. Try again.'))
    this.box.hidden = false
    this.status.textContent = 'Sending the file'
    request.send(new FormData(this.form, event.submitter))
  }

  show (progress) {
    if (!progress.lengthComputable) return this.bar.removeAttribute('value')
    const percent = Math.round(100 * progress.loaded / progress.total)
    this.bar.value = percent
    this.words.textContent = percent < 100 ? `Sending the file, ${percent}%` : 'Sent. Encrypting and checking the file'
    if (percent === 50 || percent === 100) this.status.textContent = this.words.textContent
  }

  done (request) {
    const arrived = new URL(request.responseURL, location.href)
    if (request.status < 300 && arrived.href !== new URL(this.form.action).href) return location.assign(arrived)
    const page = new DOMParser().parseFromString(request.responseText, 'text/html')
    const main = page.querySelector('main')
    if (!main) return this.fail(`The file was not kept (error ${request.status}). Nothing else was changed. Try again.`)
    document.title = page.title
    document.querySelector('main').replaceWith(document.adoptNode(main))
    this.startWithin(main)
    main.querySelector('.govuk-error-summary, h1')?.scrollIntoView()
  }

  fail (sentence) {
    this.box.hidden = false
    this.bar.value = 0
    this.words.textContent = sentence
    this.status.textContent = sentence
    delete this.form.dataset.sent
    for (const button of this.form.querySelectorAll('[aria-disabled]')) button.removeAttribute('aria-disabled')
  }
}

export function startUploads (scope, startWithin) {
  for (const form of scope.querySelectorAll('form[data-upload]')) new Upload(form, startWithin) // eslint-disable-line no-new
}
