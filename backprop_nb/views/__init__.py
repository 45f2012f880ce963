"""What is to be seen: scenes as plain data, drawn as figures and as widgets."""

from backprop_nb import display

display.register(
    "backprop_nb.tracing.api:Graph",
    describe="backprop_nb.views.explorer.description:describe_graph",
    draw="backprop_nb.views.explorer.figure:draw_graph",
    explore="backprop_nb.views.explorer.widget:GraphExplorer",
)
display.register(
    "backprop_nb.network.history:History", draw="backprop_nb.views.charts:draw_history"
)
display.register(
    "backprop_nb.checking.step_error:StepCurve", draw="backprop_nb.views.charts:draw_step_curve"
)
display.register(
    "backprop_nb.checking.report:Report",
    explore="backprop_nb.views.explorer.report:explore_report",
    mimebundle="backprop_nb.views.report:report_bundle",
)
