/** Requests that the user waits for: a lost answer is asked for again, under the same client_id. */

import { newClientId } from "./ids.js";

const TRIES = 3;

/**
 * @param {(event: string, payload: object) => Promise<object>} request
 * @param {string} event   one that takes a client_id
 * @param {object} payload   without it
 * @returns {Promise<object>} the data of the ack
 */
export async function insist(request, event, payload) {
  const once = { ...payload, client_id: newClientId() };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request(event, once);
    } catch (error) {
      // Offline it may have happened or not: she sees it when she is back.
      if (attempt === TRIES || !error.retryable || error.code === "offline") throw error;
      if (error.retryAfter) await new Promise((resolve) => setTimeout(resolve, error.retryAfter));
    }
  }
}
