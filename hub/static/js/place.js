/* Where somebody was writing when the session ended: the field and the caret in it, and nothing of what was written. After signing in
   the same page puts them back there. */

const KEY = 'hub-place'

/** Remembers the field in hand for this page and this tab. */
export function keepPlace () {
  const field = document.activeElement
  if (!field?.form?.dataset.draftKey || !field.name) return
  const place = { page: location.pathname + location.search, form: field.form.dataset.draftKey, name: field.name }
  try {
    place.from = field.selectionStart
    place.to = field.selectionEnd
  } catch { /* not every kind of field has a caret */ }
  sessionStorage.setItem(KEY, JSON.stringify(place))
}

/** The session goes on: there is nothing to go back to. */
export const forgetPlace = () => sessionStorage.removeItem(KEY)

/** Goes back to it, once. */
export function findPlace () {
  const kept = sessionStorage.getItem(KEY)
  if (!kept) return
  const place = JSON.parse(kept)
  if (place.page !== location.pathname + location.search) return
  forgetPlace()
  const form = [...document.querySelectorAll('form[data-draft-key]')].find((one) => one.dataset.draftKey === place.form)
  const field = form?.elements[place.name]
  if (!field?.focus) return
  field.focus()
  if (typeof place.from === 'number') field.setSelectionRange?.(place.from, place.to)
  field.scrollIntoView({ block: 'center' })
}
