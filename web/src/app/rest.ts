// SPDX-License-Identifier: MIT
/**
 * What is done when things have come to rest, and at once when somebody may read the address or
 * leaves the page: nothing that was seen is missing from a link.
 */
interface Waiting {
	readonly timer: ReturnType<typeof setTimeout>;
	readonly run: () => void;
}

const waiting = new Map<object, Waiting>();

/** Does it in so many milliseconds; of one key only what was put off last. */
export function putOff(key: object, ms: number, run: () => void): void {
	forget(key);
	const now = (): void => {
		waiting.delete(key);
		run();
	};
	waiting.set(key, { timer: setTimeout(now, ms), run: now });
}

export function isPutOff(key: object): boolean {
	return waiting.has(key);
}

export function forget(key: object): void {
	clearTimeout(waiting.get(key)?.timer);
	waiting.delete(key);
}

/** Does all of it now, and what that puts off. */
export function settleAll(): void {
	for (const { timer, run } of waiting.values()) {
		clearTimeout(timer);
		run();
	}
}

/** From now on: when the page is left, hidden, or loses the focus to the address bar. */
export function settleOnLeave(): void {
	for (const name of ['blur', 'copy', 'pagehide', 'visibilitychange']) {
		addEventListener(name, settleAll, true);
	}
}
