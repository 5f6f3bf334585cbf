// SPDX-License-Identifier: MIT
/** The browser as the host of the store: frames, history, the fragment of the address. */
import { forget, putOff, settleOnLeave } from './rest.js';
import type { Store, StoreHost } from './store.js';

const REST_MS = 250; // browsers refuse addresses that change too often

/** Some browsers keep no history for files, and throw. */
function tryHistory(change: () => void, fragment: string): void {
	try {
		change();
	} catch {
		location.replace(`#${fragment}`);
	}
}

/** Without a fragment the address ends before it: no lone "#". */
const addressOf = (fragment: string): string =>
	fragment === '' ? location.href.replace(/#.*$/s, '') : `#${fragment}`;

export type BrowserHost = Pick<StoreHost, 'frame' | 'rest' | 'push' | 'replace'> & {
	/** From now on, "back" and addresses edited by hand lead the store. */
	follow(store: Store): void;
};

export function makeBrowserHost(): BrowserHost {
	const key = {};
	let written = location.hash;
	const write = (how: 'pushState' | 'replaceState', fragment: string): void => {
		forget(key);
		tryHistory(() => history[how](null, '', addressOf(fragment)), fragment);
		written = location.hash;
	};
	return {
		frame(run) {
			requestAnimationFrame(run);
		},
		rest(run) {
			putOff(key, REST_MS, run);
		},
		push: (fragment) => write('pushState', fragment),
		replace: (fragment) => write('replaceState', fragment),
		follow(store) {
			const go = (): void => {
				if (location.hash === written) return;
				written = location.hash;
				store.go(location.hash.slice(1));
			};
			addEventListener('popstate', go);
			addEventListener('hashchange', go);
			settleOnLeave();
		},
	};
}
