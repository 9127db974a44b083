// The canvas: cards where the layout put them, and edges behind them; nothing else lies over it.

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import {
  Background,
  BackgroundVariant,
  ReactFlow,
  ViewportPortal,
  useReactFlow,
  useStore as useFlowStore,
  type Node,
  type NodeProps,
  type Viewport,
} from "@xyflow/react";
import { usePart, useStore } from "./use";
import type { Scene, Spot } from "./wire";
import { Bars } from "./Bars";
import { Box } from "./Box";
import { Card } from "./Card";
import { Edges } from "./Edges";
import { fit, heightFor, levelOf, PAD } from "./zoom";
import { remembered } from "./memory";
import { useKeys } from "./keys";

type CardNode = Node<{ spot: Spot }, "card">;

function FlowCard({ data }: NodeProps<CardNode>) {
  return <Card spot={data.spot} />;
}

const NONE: CardNode[] = [];
const NODE_TYPES = { card: FlowCard };
/** From so many cards on only those in sight are drawn; from so many, seen from far, none but their outlines. */
const VIRTUAL_FROM = 300;
const OUTLINES_FROM = 1_500;

export function Canvas() {
  const scene = usePart("scene", (store) => store.scene);
  return scene.cards.length + scene.boxes.length === 0 ? (
    <div className="fnb-canvas flownb-canvas fnb-empty" style={{ height: 160 }}>
      <b>No nodes yet</b>
      <span className="sec">
        Write <code>@flow.node</code> above a function.
      </span>
    </div>
  ) : (
    <Graph scene={scene} />
  );
}

function Graph({ scene }: { scene: Scene }) {
  const store = useStore();
  const frame = useRef<HTMLDivElement>(null);
  const flow = useReactFlow<CardNode>();
  const memory = remembered(store);
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  const touched = useRef(memory.viewport !== null);

  const nodes = useMemo<CardNode[]>(
    () =>
      scene.cards.map((spot) => ({
        id: spot.key,
        type: "card",
        position: { x: spot.x, y: spot.y },
        width: spot.width,
        height: spot.height,
        measured: { width: spot.width, height: spot.height },
        draggable: false,
        connectable: false,
        selectable: false,
        focusable: false,
        data: { spot },
      })),
    [scene],
  );

  const show = useCallback(
    (viewport: Viewport) => {
      const element = frame.current;
      if (!element) return;
      element.style.setProperty("--fnb-zoom", String(viewport.zoom));
      element.dataset["level"] = levelOf(viewport.zoom);
      memory.viewport = touched.current ? viewport : null;
    },
    [memory],
  );

  const fitAll = useCallback(() => {
    const element = frame.current;
    if (!element) return;
    const width = element.clientWidth;
    const height = element.clientHeight;
    if (!width || !height) return;
    touched.current = false;
    const viewport = fit(scene, width, height);
    void flow.setViewport(viewport);
    show(viewport);
  }, [flow, scene, show]);

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const watcher = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width) setSize({ width, height: heightFor(scene, width) });
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [scene]);

  useEffect(() => {
    if (size && !touched.current) fitAll();
  }, [size, fitAll]);

  const reveal = useCallback(
    (key: string) => {
      const spot = scene.cards.find((each) => each.key === key) ?? scene.boxes.find((each) => each.key === key);
      if (!spot) return;
      const view = flow.getViewport();
      const left = spot.x * view.zoom + view.x;
      const top = spot.y * view.zoom + view.y;
      const inside =
        left >= 0 &&
        top >= 0 &&
        left + spot.width * view.zoom <= (frame.current?.clientWidth ?? 0) &&
        top + spot.height * view.zoom <= (frame.current?.clientHeight ?? 0);
      if (inside && levelOf(view.zoom) === "full") return;
      touched.current = true;
      void flow.setCenter(spot.x + spot.width / 2, spot.y + spot.height / 2, { zoom: Math.max(flow.getZoom(), 0.8), duration: 200 });
    },
    [flow, scene],
  );
  memory.reveal = reveal;
  memory.fit = fitAll;

  const keys = useKeys(scene, fitAll, reveal);
  const outlined = useFlowStore((state) => scene.cards.length > OUTLINES_FROM && levelOf(state.transform[2]) === "bar");
  const pick = (event: React.MouseEvent): void => {
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const inside = (each: Spot): boolean => x >= each.x && x <= each.x + each.width && y >= each.y && y <= each.y + each.height;
    store.select(scene.cards.find(inside)?.key ?? null);
  };
  return (
    <div
      className="fnb-canvas flownb-canvas"
      ref={frame}
      style={{ height: size?.height ?? 200 }}
      data-level="full"
      role="application"
      aria-label={`Graph of ${scene.cards.length + scene.boxes.length} nodes`}
      onKeyDown={keys}
    >
      <ReactFlow<CardNode>
        nodes={outlined ? NONE : nodes}
        edges={[]}
        nodeTypes={NODE_TYPES}
        defaultViewport={memory.viewport ?? (size ? fit(scene, size.width, size.height) : { x: PAD, y: PAD, zoom: 1 })}
        minZoom={0.01}
        maxZoom={2}
        onMove={(event, viewport) => {
          if (event) touched.current = true;
          show(viewport);
        }}
        onInit={(instance) => show(instance.getViewport())}
        onPaneClick={(event) => (outlined ? pick(event) : store.select(null))}
        onlyRenderVisibleElements={nodes.length > VIRTUAL_FROM}
        nodesDraggable={false}
        nodesConnectable={false}
        elementsSelectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        zoomOnScroll={false}
        panOnScroll={false}
        preventScrolling={false}
        zoomActivationKeyCode={["Control", "Meta"]}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={16} size={1.2} color="var(--fnb-dot)" />
        <ViewportPortal>
          <div className="fnb-under">
            {scene.boxes.map((spot) => (
              <Box key={spot.key} spot={spot} />
            ))}
            {outlined ? <Bars scene={scene} /> : <Edges scene={scene} />}
          </div>
        </ViewportPortal>
      </ReactFlow>
    </div>
  );
}

