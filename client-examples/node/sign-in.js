/** Sign in by name, where the server lets anybody in by name (`make run` does). */

/**
 * @returns {Promise<string>} a token
 * @throws {Error} with a sentence that says what to do
 */
export async function signIn(url, name) {
  const response = await fetch(`${url}/dev/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  }).catch((error) => {
    throw new Error(`Nobody answers at ${url} (${error.cause?.code}). Is it running?`);
  });
  if (!response.ok) {
    const remedy = "set TOKEN, to what `parley token --user ann` prints.";
    throw new Error(`${url} does not sign in by name (${response.status}): ${remedy}`);
  }
  return (await response.json()).token;
}
