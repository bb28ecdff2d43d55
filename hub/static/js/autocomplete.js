/* Long lists of choices become a box that completes what is typed. The library is fetched only where a page has such a list. */

let library

function fetchLibrary () {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = '/static/vendor/autocomplete/accessible-autocomplete.min.js'
    script.addEventListener('load', () => resolve(globalThis.accessibleAutocomplete))
    script.addEventListener('error', reject)
    document.head.append(script)
  })
  return library
}

const plain = (text) => text.trim().toLowerCase()

function enhance (list, complete) {
  const { id, form } = list
  const chosen = list.selectedOptions[0]
  complete.enhanceSelectElement({
    selectElement: list,
    defaultValue: chosen?.value ? chosen.textContent : '',
    // nothing is chosen by passing through the box
    autoselect: false,
    confirmOnBlur: false,
    showAllValues: true
  })
  const box = document.getElementById(id)
  // what stands in the box is what is sent: an exact name is taken, anything else is none, and the server asks again
  const settle = () => {
    const typed = plain(box.value)
    const found = [...list.options].find((option) => option.value && plain(option.textContent) === typed)
    if (list.value === (found?.value ?? '')) return
    list.value = found?.value ?? ''
    list.dispatchEvent(new Event('change', { bubbles: true }))
  }
  box.addEventListener('blur', () => setTimeout(settle))
  form?.addEventListener('submit', settle, { capture: true })
}

export async function startAutocomplete (scope) {
  const lists = [...scope.querySelectorAll('select[data-autocomplete]')]
  if (!lists.length) return
  try {
    const complete = await fetchLibrary()
    for (const list of lists) enhance(list, complete)
  } catch {
    // the ordinary list stays, and works
  }
}
