// SPDX-License-Identifier: MIT
/** Making elements. Texts become text nodes: nothing that is passed in is ever read as markup. */

export type Child = Node | string | null;

/** An element of a class with children; "" for no class, null children are left out. */
export function make<K extends keyof HTMLElementTagNameMap>(
	tag: K,
	className = '',
	...children: readonly Child[]
): HTMLElementTagNameMap[K] {
	const made = document.createElement(tag);
	if (className) made.className = className;
	for (const child of children) if (child !== null) made.append(child);
	return made;
}

/** Sets attributes: true is "", null and false take the attribute away. */
export function attributes<E extends Element>(
	element: E,
	values: Readonly<Record<string, string | number | boolean | null>>,
): E {
	for (const [name, value] of Object.entries(values)) {
		if (value === null || value === false) element.removeAttribute(name);
		else element.setAttribute(name, value === true ? '' : String(value));
	}
	return element;
}

/** A button that shows `label`; `title` says more, and is its name if the label is a mere sign. */
export function button(
	className: string,
	label: string,
	title: string,
	run: (event: MouseEvent) => void,
): HTMLButtonElement {
	const made = make('button', className, label);
	made.type = 'button';
	if (title) attributes(made, { title, 'aria-label': /\p{L}{2}/u.test(label) ? null : title });
	made.addEventListener('click', run);
	return made;
}

/** What is in the page under that id; it is the page's own markup, so that it must be there. */
export function part(id: string): HTMLElement {
	const found = document.getElementById(id);
	if (!found) throw new Error(`the page has no element '${id}'`);
	return found;
}

/** Whether keys are text there: boxes to type into and lists to choose from. */
export function takesText(target: EventTarget | null): boolean {
	if (!(target instanceof HTMLElement)) return false;
	if (target instanceof HTMLInputElement)
		return !/^(checkbox|radio|range|button)$/.test(target.type);
	return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName);
}

/**
 * Arrows lead from one to the next of the elements, Home and End to the first and last; only one of
 * them is a stop of Tab. `list` is asked at each key. True if the key was one of these.
 */
export function rove(event: KeyboardEvent, list: readonly HTMLElement[]): boolean {
	if (event.ctrlKey || event.metaKey || event.altKey) return false;
	const at = list.indexOf(document.activeElement as HTMLElement);
	const next = {
		ArrowRight: at + 1,
		ArrowDown: at + 1,
		ArrowLeft: at - 1,
		ArrowUp: at < 0 ? -1 : at - 1,
		Home: 0,
		End: list.length - 1,
	}[event.key];
	if (next === undefined || list.length === 0) return false;
	const to = list[(next + list.length) % list.length];
	for (const element of list) element.tabIndex = element === to ? 0 : -1;
	to?.focus();
	event.preventDefault();
	return true;
}
