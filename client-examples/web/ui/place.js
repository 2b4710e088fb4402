/** Where one is: a room, or a conversation with somebody that has not begun. Pure. */

/** What it is called. */
export function placeName(place) {
  return place.to ?? place.peer ?? place.info?.name ?? "…";
}

/** Whether it is between two. */
export const isDirect = (place) => place.to !== undefined || place.info?.type === "direct";

/** Whether everybody finds the room and may join it. */
export const isListed = (info) => info?.type === "public" && !info.settings?.is_private;
