'use strict'
// Passkeys: shows the forms that need one, asks the browser for it, and posts what it says. Nothing else here needs script.
const problems = {
  NotAllowedError: 'No passkey was chosen, or it took too long. Try again.',
  InvalidStateError: 'This device already has a passkey for your account.',
}
for (const form of document.querySelectorAll('form[data-passkey]')) {
  const [create, get] = ['parseCreationOptionsFromJSON', 'parseRequestOptionsFromJSON']
  if (!window.PublicKeyCredential?.[create] || !window.PublicKeyCredential?.[get]) continue
  form.hidden = false
  document.querySelector('[data-passkey="none"]')?.remove()
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const said = form.querySelector('[role="alert"]')
    const button = form.querySelector('button')
    said.textContent = ''
    button.disabled = true
    try {
      const options = JSON.parse(form.dataset.options)
      const credential = form.dataset.passkey === 'create'
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential[create](options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential[get](options) })
      form.elements.credential.value = JSON.stringify(credential)
      form.submit()
    } catch (error) {
      said.textContent = problems[error.name] ?? 'This browser could not use a passkey here.'
    }
    button.disabled = false
  })
}
