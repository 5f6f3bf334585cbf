// SPDX-License-Identifier: MIT
/** Where a view is: made when it is first seen, told what it missed, and shown as an error if it fails. */
import { button, make } from '../ui/dom.js';
import type { App, Change, View } from './app.js';
import { EVERYTHING } from './page_app.js';

export interface Place {
	readonly view: View | null; // null: not seen yet, or it failed
	show(visible: boolean): void;
	/** Told to the view now, or when it is seen again. */
	update(changed: ReadonlySet<Change>): void;
	/** True if the view used the key. */
	key(event: KeyboardEvent): boolean;
}

const PASSING: ReadonlySet<Change> = new Set<Change>(['hover', 'preview', 'size']);

function describe(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** `name`: of the view in error messages, "the flame graph". */
export function makePlace(
	element: HTMLElement,
	name: string,
	makeView: () => View,
	app: App,
): Place {
	let view: View | null = null;
	let visible = false;
	let missed = new Set<Change>();

	const fail = (error: unknown): void => {
		console.error(error);
		view = null;
		element.className = 'place';
		const again = button('', 'Try again', '', () => guarded(start));
		const what = make('p', '', make('b', '', `This does not work: ${name}.`));
		const why = make('p', '', describe(error));
		element.replaceChildren(make('div', 'failure', what, why, again));
		element.firstElementChild?.setAttribute('role', 'alert');
	};
	const guarded = (run: () => void): void => {
		try {
			run();
		} catch (error) {
			fail(error);
		}
	};
	const start = (): void => {
		element.replaceChildren();
		const root = make('div', 'view');
		element.append(root);
		const made = makeView();
		made.mount(root, app);
		view = made;
		missed = new Set();
		made.update(EVERYTHING);
	};
	const tell = (): void => {
		const changed = missed;
		missed = new Set();
		if (view) view.update(changed);
		else if ([...changed].some((change) => !PASSING.has(change))) start();
	};
	return {
		get view() {
			return view;
		},
		show(now) {
			const appears = now && !visible;
			visible = now;
			element.hidden = !now;
			if (!appears) return;
			missed.add('size');
			guarded(view ? tell : start);
		},
		update(changed) {
			for (const change of changed) missed.add(change);
			if (visible) guarded(tell);
		},
		key(event) {
			let used = false;
			guarded(() => {
				used = view?.key?.(event) ?? false;
			});
			return used;
		},
	};
}
