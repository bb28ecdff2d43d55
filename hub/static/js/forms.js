/* Forms: one submission a press, boxes that grow where the style sheet cannot make them. */

const RELEASE_AFTER = 10000

function release (form) {
  delete form.dataset.sent
  for (const button of form.querySelectorAll('[aria-disabled="true"]')) button.removeAttribute('aria-disabled')
}

function guard (form) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent !== undefined) {
      event.preventDefault()
      event.stopImmediatePropagation()
      return
    }
    form.dataset.sent = ''
    event.submitter?.setAttribute('aria-disabled', 'true')
    // a refused connection or a download leaves the page standing: the form is usable again
    setTimeout(() => release(form), RELEASE_AFTER)
  })
}

const styleGrows = CSS.supports('field-sizing', 'content')

function grow (box) {
  const fit = () => {
    box.style.height = 'auto'
    box.style.height = `${box.scrollHeight + 4}px`
  }
  box.addEventListener('input', fit)
  fit()
}

export function startForms (scope) {
  scope.querySelectorAll('form[data-guard]').forEach(guard)
  if (!styleGrows) scope.querySelectorAll('textarea.hub-grow').forEach(grow)
}

// Back from the next page, the old one is shown from memory with its button still asleep
addEventListener('pageshow', (event) => {
  if (event.persisted) document.querySelectorAll('form[data-guard]').forEach(release)
})
