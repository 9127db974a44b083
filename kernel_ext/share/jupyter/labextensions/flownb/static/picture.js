// JupyterLab shows "model not found" for the widget of a kernel that is gone, though the picture of the run is saved
// beside it. This shows the picture: until the widget is there, and where it never comes. It is written as the built
// extensions are (a federated module), so that nothing has to be built; it runs nothing that a notebook holds.

(() => {
  "use strict";

  const WIDGET = "application/vnd.jupyter.widget-view+json";
  const PICTURE = "image/png";
  const TEXT = "text/plain";
  /** Milliseconds: a widget that is there comes sooner, and no picture flashes before it. */
  const SOON = 200;

  /** Whether a picture is saved beside the widget; whose it is makes no difference to who would see an error. */
  function hasPicture({ data }) {
    return typeof data[PICTURE] === "string";
  }

  /** The picture, with the whole text for those who can't see it, and how the view comes back. */
  function pictureOf({ data, metadata }) {
    const box = document.createElement("div");
    const image = document.createElement("img");
    const text = data[TEXT] ?? "";
    image.src = `data:${PICTURE};base64,${data[PICTURE].replace(/\s/g, "")}`;
    image.alt = Array.isArray(text) ? text.join("") : String(text);
    image.style.maxWidth = "100%";
    const width = metadata?.[PICTURE]?.width;
    if (typeof width === "number") image.width = width;
    box.append(image);
    const run = metadata?.flownb?.run;
    if (typeof run === "string") {
      const line = document.createElement("div");
      line.style.cssText = "color: var(--jp-ui-font-color2); font-size: var(--jp-ui-font-size1); padding: 4px 0";
      const code = document.createElement("code");
      code.textContent = `flownb.attach("${run}")`;
      line.append("As it was saved. To see it live: ", code);
      box.append(line);
    }
    return box;
  }

  /** Let a renderer of widgets show the picture as long as it has no widget. */
  function withPicture(renderer) {
    const render = renderer.renderModel.bind(renderer);
    renderer.renderModel = async (model) => {
      if (!hasPicture(model)) return render(model);
      const show = () => {
        if (!renderer.isDisposed && renderer.widgets.length === 0) renderer.node.replaceChildren(pictureOf(model));
      };
      const done = render(model);
      if (renderer.widgets.length === 0) renderer.node.textContent = ""; // not "Loading widget…"
      const soon = setTimeout(show, SOON);
      await done;
      clearTimeout(soon);
      show();
    };
    return renderer;
  }

  function watch(rendermime) {
    const create = rendermime.createRenderer.bind(rendermime);
    rendermime.createRenderer = (type) => (type === WIDGET ? withPicture(create(type)) : create(type));
  }

  /** A module that JupyterLab shares with its extensions. */
  async function shared(scope, name) {
    const [newest] = Object.values(scope[name] ?? {}).reverse();
    return newest ? (await newest.get())() : {};
  }

  let scope = {};

  async function extension() {
    const { INotebookTracker } = await shared(scope, "@jupyterlab/notebook");
    return {
      id: "flownb:picture",
      description: "Shows the saved picture of a run where its kernel is gone.",
      autoStart: true,
      optional: INotebookTracker ? [INotebookTracker] : [],
      activate: (_app, notebooks) => {
        if (!notebooks) return;
        notebooks.forEach((panel) => watch(panel.content.rendermime));
        notebooks.widgetAdded.connect((_, panel) => watch(panel.content.rendermime));
      },
    };
  }

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB["flownb"] = {
    init: (given) => {
      scope = given;
    },
    get: async () => {
      const plugin = await extension();
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
