"""The pages of the results."""

from django.urls import path

from web_server.candidates import (
    exports,
    image_views,
    list_views,
    samp,
    signed,
    sky_view,
    source_page,
    stamp_panels,
    views,
)

urlpatterns = [
    path("", image_views.home, name="home"),
    path("query/", list_views.query, name="query"),
    path("query/quickview/", list_views.quickview, name="quickview"),
    path("query/export.<slug:kind>", exports.export, name="export"),
    path("images/<number:image_id>/", image_views.image_page, name="image"),
    path("images/<number:image_id>/crossmatches/", list_views.image_crossmatches, name="crossmatches"),
    path("images/<number:image_id>/crossmatches/quickview/", list_views.quickview, name="quickview"),
    path("images/<number:image_id>/crossmatches/export.<slug:kind>", exports.export, name="export"),
    path("images/<number:image_id>/crossmatches/<number:row_id>/", source_page.source, name="source"),
    path("images/<number:image_id>/crossmatches/<number:row_id>/samp/", samp.samp_messages, name="samp"),
    path("images/<number:image_id>/crossmatches/<number:row_id>/sky/", sky_view.sky, name="sky"),
    path("signed/<str:token>/cutout.fits", signed.signed_file, name="signed_file"),
    path("signed/<str:token>/crossmatches.vot", signed.signed_table, name="signed_table"),
    path("objects/<number:object_id>/<number:image_id>/<str:survey>/", source_page.object_page, name="object"),
    path("products/<number:product_id>/", views.product, name="product"),
    path("products/<number:product_id>/panel.png", stamp_panels.panel, name="panel"),
]
