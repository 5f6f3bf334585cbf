// SPDX-License-Identifier: MIT
/** Pointer and wheel on a picture of time: what flame_input.ts has, and dragging and pinching. */
import type { Range } from '../app/state.js';
import type { PointerTo } from './flame_input.js';
import { listenToPointer } from './flame_input.js';
import { panWindow, pinchWindow, zoomWindow } from './timeline_window.js';

export interface TimeTo extends PointerTo {
	window(): Range;
	width(): number;
	readonly durationNs: number;
	setWindow(window: Range): void;
}

const DRAG_PX = 4;

function onWheel(to: TimeTo, event: WheelEvent, x: number): void {
	const window = to.window();
	const lines = event.deltaMode === 1 ? 16 : 1;
	const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
	if (event.ctrlKey || event.metaKey) {
		event.preventDefault();
		const at = window.from + (x / to.width()) * (window.to - window.from);
		const factor = Math.exp(-event.deltaY * lines * 0.003);
		to.setWindow(zoomWindow(window, at, factor, to.durationNs));
	} else if (sideways) {
		event.preventDefault();
		const by = ((event.deltaX || event.deltaY) * lines) / to.width();
		to.setWindow(panWindow(window, by * (window.to - window.from), to.durationNs));
	}
}

/** `scroller` is what has the wheel; dragging sideways moves the window, two fingers zoom it. */
export function listenToTime(target: HTMLElement, scroller: HTMLElement, to: TimeTo): void {
	const down = new Map<number, number>(); // x of the pointers that are down
	let start: { x: number; window: Range; times: readonly [number, number] | null } | null = null;
	let dragged = false;
	const left = (): number => target.getBoundingClientRect().left;
	const begin = (): void => {
		const window = to.window();
		const xs = [...down.values()].sort((a, b) => a - b);
		const timeAt = (x: number): number =>
			window.from + (x / to.width()) * (window.to - window.from);
		start =
			xs.length === 0
				? null
				: { x: xs[0], window, times: xs.length > 1 ? [timeAt(xs[0]), timeAt(xs[1])] : null };
	};
	target.addEventListener('pointerdown', (e) => {
		if (e.button !== 0) return;
		if (down.size === 0) dragged = false;
		down.set(e.pointerId, e.clientX - left());
		begin();
	});
	const move = (e: PointerEvent): void => {
		if (!down.has(e.pointerId) || !start) return;
		down.set(e.pointerId, e.clientX - left());
		const xs = [...down.values()].sort((a, b) => a - b);
		if (start.times && xs.length > 1) {
			dragged = true;
			const next = pinchWindow(start.times, [xs[0], xs[1]], to.width(), to.durationNs);
			if (next) to.setWindow(next);
			return;
		}
		const by = xs[0] - start.x;
		if (!dragged && Math.abs(by) < DRAG_PX) return;
		dragged = true;
		const length = start.window.to - start.window.from;
		to.setWindow(panWindow(start.window, (-by / to.width()) * length, to.durationNs));
	};
	const up = (e: PointerEvent): void => {
		if (down.delete(e.pointerId)) begin();
	};
	addEventListener('pointermove', move);
	addEventListener('pointerup', up);
	addEventListener('pointercancel', up);
	scroller.addEventListener('wheel', (e) => onWheel(to, e, e.clientX - left()), { passive: false });
	listenToPointer(target, {
		...to,
		click(x, y) {
			if (!dragged) to.click(x, y);
		},
		doubleClick(x, y) {
			if (!dragged) to.doubleClick(x, y);
		},
	});
}
