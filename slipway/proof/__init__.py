"""The proof: what must be true of an image before a container of it starts.

An image is compared with the source that it is named after, file by file, and asked what else
`x-slipway.proof` wants of it.

    settings                 what is wanted
    variables stage copying  a Dockerfile, followed from the source into the image;
      patterns copies          what must be where: expected
    files bytecode image     judge what is found there
    interpreter in_image     what the image's own Python is asked, and what it answers
    inspection               finds all that: containers of the image that serve nobody
    course                   the sequence over these
    report telling           what came of it

All but `inspection` are pure.
"""
