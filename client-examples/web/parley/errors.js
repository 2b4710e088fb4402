/** Why a request brought no data. */
export class RequestError extends Error {
  /**
   * @param {object} error  the error of an ack: {code, message, retryable, retry_after_ms?, details?}
   */
  constructor({ code, message, retryable = false, retry_after_ms, details }) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.retryable = retryable;
    this.retryAfter = retry_after_ms; // milliseconds, if the server named a time
    this.details = details;
  }
}

/** The connection was lost or never there: the outcome is unknown, try again later. */
export const offline = () =>
  new RequestError({ code: "offline", message: "You are offline.", retryable: true });

/** No answer in time: the outcome is unknown, the same client_id makes a second try safe. */
export const timedOut = () =>
  new RequestError({ code: "timeout", message: "The server did not answer.", retryable: true });
