// SPDX-License-Identifier: MIT
/** Pointer of mouse, pen and finger on a canvas: hover, click, double click, menu, long press. */

const LONG_PRESS_MS = 550;
const STILL_PX = 10;

/** x and y are of the element; clientX and clientY of the window, for menus and tips. */
export interface PointerTo {
	hover(x: number, y: number, clientX: number, clientY: number): void;
	leave(): void;
	click(x: number, y: number): void;
	doubleClick(x: number, y: number): void;
	menu(x: number, y: number, clientX: number, clientY: number): void;
}

/** A finger does not hover; held still it opens the menu, as not all browsers do that alone. */
export function listenToPointer(target: HTMLElement, to: PointerTo): void {
	let press = 0;
	let pressed: { x: number; y: number } | null = null;
	let opened = -Infinity; // when a finger that was held still opened the menu
	const at = (e: MouseEvent): [number, number] => {
		const box = target.getBoundingClientRect();
		return [e.clientX - box.left, e.clientY - box.top];
	};
	const forget = (): void => {
		clearTimeout(press);
		pressed = null;
	};
	const menu = (e: MouseEvent): void => {
		const [x, y] = at(e);
		to.menu(x, y, e.clientX, e.clientY);
	};
	target.addEventListener('pointermove', (e) => {
		const far = pressed && Math.hypot(e.clientX - pressed.x, e.clientY - pressed.y) > STILL_PX;
		if (far) forget();
		if (e.pointerType === 'touch' || e.buttons !== 0) return;
		const [x, y] = at(e);
		to.hover(x, y, e.clientX, e.clientY);
	});
	target.addEventListener('pointerleave', (e) => {
		forget();
		if (e.pointerType !== 'touch') to.leave();
	});
	target.addEventListener('pointerdown', (e) => {
		forget();
		if (e.pointerType !== 'touch') return;
		pressed = { x: e.clientX, y: e.clientY };
		press = window.setTimeout(() => {
			opened = performance.now();
			menu(e);
		}, LONG_PRESS_MS);
	});
	target.addEventListener('pointerup', forget);
	target.addEventListener('pointercancel', forget);
	target.addEventListener('contextmenu', (e) => {
		e.preventDefault();
		forget();
		if (performance.now() - opened > 700) menu(e); // else it is open
	});
	target.addEventListener('click', (e) => {
		if (performance.now() - opened < 700) return; // the end of a long press
		const [x, y] = at(e);
		if (e.detail >= 2) to.doubleClick(x, y);
		else to.click(x, y);
	});
}
