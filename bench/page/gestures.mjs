// SPDX-License-Identifier: MIT
// What runs within the measured page: clocks for paints and frames, and gestures that a frame can be
// given each. Functions here are passed to the browser as text: they use nothing from outside.

/** Before any script of the page: notes when it is drawn, and when a first click is answered. */
export function watch() {
	const seen = { drawn: 0, answered: 0, script: new Map(), events: [], busy: [] };
	globalThis.fireglassWatch = seen;
	// what is computed in each frame
	const next = globalThis.requestAnimationFrame.bind(globalThis);
	globalThis.requestAnimationFrame = (run) =>
		next((now) => {
			const began = performance.now();
			run(now);
			seen.script.set(now, (seen.script.get(now) ?? 0) + performance.now() - began);
		});
	new PerformanceObserver((list) => {
		for (const { duration, name } of list.getEntries()) seen.events.push({ duration, name });
	}).observe({ type: 'event', durationThreshold: 16, buffered: true });
	new PerformanceObserver((list) => {
		for (const { duration } of list.getEntries()) seen.busy.push(duration);
	}).observe({ type: 'longtask', buffered: true });
	const painted = (canvas) => {
		if (!canvas || canvas.width < 300 || canvas.height < 20) return false;
		// the middle of what is drawn has some colour, if anything has
		const { width, height } = canvas;
		const row = canvas.getContext('2d').getImageData(0, height - 12, width, 1).data;
		return row.some((value, i) => i % 4 === 3 && value > 0);
	};
	const look = () => {
		const views = [document.querySelector('.tl-canvas'), document.querySelector('.flame canvas')];
		if (!views.every(painted)) return void requestAnimationFrame(look);
		// drawn into the canvas: what the next frame shows
		requestAnimationFrame(() => {
			seen.drawn = performance.now();
			const flame = document.querySelector('.flame-holder');
			const box = flame.getBoundingClientRect();
			// the box above the root's child: zooms
			const at = { clientX: box.left + box.width / 3, clientY: box.bottom - 48 };
			const before = location.hash;
			flame.dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 1, ...at }));
			const wait = () => {
				if (location.hash === before) return void requestAnimationFrame(wait);
				requestAnimationFrame(() =>
					requestAnimationFrame(() => (seen.answered = performance.now())),
				);
			};
			wait();
		});
	};
	requestAnimationFrame(look);
}

/** Milliseconds between frames, for so many of them, while nothing goes on. */
export function restFrames(count) {
	return new Promise((done) => {
		const gaps = [];
		const { script } = globalThis.fireglassWatch;
		script.clear();
		let last = 0;
		const tick = (now) => {
			if (last) gaps.push(now - last);
			last = now;
			if (gaps.length < count) requestAnimationFrame(tick);
			else done({ gaps, script: [...script.values()] });
		};
		requestAnimationFrame(tick);
	});
}

/**
 * Turns the wheel once per frame: `steps` is [count, { deltaX, deltaY, ctrlKey, shiftKey }, x] with x
 * as a share of the width. Gives the gaps between frames, and how long each computed.
 */
export function wheelFrames({ selector, steps }) {
	return new Promise((done) => {
		const target = document.querySelector(selector);
		const box = target.getBoundingClientRect();
		const turns = steps.flatMap(([count, wheel, x]) => Array(count).fill([wheel, x]));
		const gaps = [];
		const { script } = globalThis.fireglassWatch;
		script.clear();
		let last = 0;
		const tick = (now) => {
			if (last) gaps.push(now - last);
			last = now;
			const turn = turns.shift();
			if (!turn) return void done({ gaps, script: [...script.values()] });
			const [wheel, x] = turn;
			target.dispatchEvent(
				new WheelEvent('wheel', {
					bubbles: true,
					cancelable: true,
					clientX: box.left + box.width * x,
					clientY: box.top + box.height / 2,
					...wheel,
				}),
			);
			requestAnimationFrame(tick);
		};
		requestAnimationFrame(tick);
	});
}

/** Zooms the flame graph in and out by clicks, a step each `everyMs`; gaps while it moves. */
export function zoomFrames({ steps, everyMs }) {
	return new Promise((done) => {
		const holder = document.querySelector('.flame-holder');
		const gaps = [];
		const { script } = globalThis.fireglassWatch;
		script.clear();
		let [last, began, taken] = [0, performance.now(), 0];
		const step = (i) => {
			const box = holder.getBoundingClientRect();
			const up = i % 6;
			if (up === 5) {
				document.querySelector('.flame-crumbs button')?.click();
				return;
			}
			const at = {
				clientX: box.left + box.width * 0.4,
				clientY: box.bottom - 29 - 19 * 2 * (up + 1),
			};
			holder.dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 1, ...at }));
		};
		const tick = (now) => {
			if (last) gaps.push(now - last);
			last = now;
			if (performance.now() - began >= taken * everyMs) {
				if (taken === steps) return void done({ gaps, script: [...script.values()] });
				step(taken++);
			}
			requestAnimationFrame(tick);
		};
		requestAnimationFrame(tick);
	});
}

/** After this and the work of it is drawn. */
export function settled() {
	return new Promise((done) => {
		requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)));
	});
}
