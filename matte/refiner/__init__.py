"""Image and Trimap → Alpha, one file for each method."""

REFINERS = {
    "closed-form": "matte.refiner.closed_form:ClosedForm",
    "guided": "matte.refiner.guided:Guided",
    "smooth": "matte.refiner.smooth:Smooth",
}
