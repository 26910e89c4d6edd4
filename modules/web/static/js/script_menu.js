// The Script menu: the controls of the script that is chosen are shown. `panels`: their elements' ids by the titles.

function showScript(panels, chosen) {
    for (const [title, id] of Object.entries(panels)) byId(id).classList.toggle("hidden-page", title !== chosen);
}
